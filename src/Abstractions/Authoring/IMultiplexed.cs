namespace Serve;

/// <summary>
/// The models of one replica, loaded by the class's <see cref="MultiplexedAttribute"/> method and kept as long as there is room: a constructor
/// parameter. Loads of one model that are asked for at the same time are one load. A model that somebody uses is never unloaded; when every place is
/// in use, the next load waits for one, first come first served.
/// </summary>
/// <typeparam name="TModel">What the method loads, or a base type or interface of it.</typeparam>
public interface IMultiplexed<TModel>
{
    /// <summary>The ids of the models that are loaded, the least recently used first.</summary>
    IReadOnlyList<string> Loaded { get; }

    /// <summary>The model that the request being served asks for (<see cref="IReplicaContext.MultiplexedModelId"/>), to be used until the request ends, streams included.</summary>
    /// <param name="cancellationToken">Gives the wait up. When all who wait for a load have done so, the load is cancelled too. The end of the request does so by itself.</param>
    /// <returns>The model, loaded.</returns>
    /// <exception cref="BadInputException">The request names no model.</exception>
    /// <exception cref="InvalidOperationException">There is no request here, or the requests that wait have all places in use among themselves. Whatever the loading method throws comes out as it is.</exception>
    ValueTask<TModel> Get(CancellationToken cancellationToken = default);

    /// <summary>A model by its id, to be used until the request being served ends.</summary>
    /// <param name="modelId">The model.</param>
    /// <param name="cancellationToken">Gives the wait up.</param>
    /// <returns>The model, loaded.</returns>
    /// <exception cref="InvalidOperationException">There is no request here (use <see cref="Acquire"/>), or the requests that wait have all places in use among themselves.</exception>
    ValueTask<TModel> Get(string modelId, CancellationToken cancellationToken = default);

    /// <summary>A model by its id, to be used until the lease is disposed: for work that no request lasts as long as, or that is done with a model early.</summary>
    /// <param name="modelId">The model.</param>
    /// <param name="cancellationToken">Gives the wait up.</param>
    /// <returns>The lease; dispose it.</returns>
    ValueTask<ModelLease<TModel>> Acquire(string modelId, CancellationToken cancellationToken = default);
}
