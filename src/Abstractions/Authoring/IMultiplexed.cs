namespace Serve;

/// <summary>
/// The models of one replica, loaded by the class's <see cref="MultiplexedAttribute"/> method and cached up to its limit. A constructor
/// parameter. Concurrent requests for a model share one load. A model in use is never unloaded; if all slots are in use, the next load waits for one, in
/// FIFO order.
/// </summary>
/// <typeparam name="TModel">The loaded type, or a base type or interface of it.</typeparam>
public interface IMultiplexed<TModel>
{
    /// <summary>Gets the ids of the loaded models, least recently used first.</summary>
    IReadOnlyList<string> Loaded { get; }

    /// <summary>Returns the model that the request being served requests (<see cref="IReplicaContext.MultiplexedModelId"/>), for use until the request ends, streams included.</summary>
    /// <param name="cancellationToken">Cancels the wait, like the end of the request. The load is canceled when all its waits are.</param>
    /// <returns>The loaded model.</returns>
    /// <exception cref="BadInputException">The request names no model.</exception>
    /// <exception cref="InvalidOperationException">No request is being served, or the waiting requests hold all slots themselves. Exceptions of the loading method are rethrown unchanged.</exception>
    ValueTask<TModel> Get(CancellationToken cancellationToken = default);

    /// <summary>Returns a model by id, for use until the request being served ends.</summary>
    /// <param name="modelId">The model's id.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The loaded model.</returns>
    /// <exception cref="InvalidOperationException">No request is being served (use <see cref="Acquire"/>), or the waiting requests hold all slots themselves.</exception>
    ValueTask<TModel> Get(string modelId, CancellationToken cancellationToken = default);

    /// <summary>Returns a lease for a model, for use until it is disposed: for work that outlives the request, or that releases a model early.</summary>
    /// <param name="modelId">The model's id.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The lease; dispose it.</returns>
    ValueTask<ModelLease<TModel>> Acquire(string modelId, CancellationToken cancellationToken = default);
}
