using Serve.Calls;

namespace Serve.Replica.Multiplexing;

/// <summary>Implementation of <see cref="IMultiplexed{TModel}"/> over a model cache.</summary>
/// <param name="cache">The cache.</param>
internal sealed class MultiplexedModelAccessor<TModel>(MultiplexedModelCache cache) : IMultiplexed<TModel>
{
    public IReadOnlyList<string> Loaded => cache.Loaded;

    public ValueTask<TModel> Get(CancellationToken cancellationToken = default) =>
        Get(Request().Call.MultiplexedModelId ?? throw new BadInputException(
            "The request does not name a model. Set the HTTP header serve_multiplexed_model_id, or Options(multiplexedModelId: …) of the handle."),
            cancellationToken);

    public ValueTask<TModel> Get(string modelId, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(modelId);
        var use = cache.UseAsync(modelId, Request(), cancellationToken);
        return use.IsCompletedSuccessfully ? new(ModelOf(use.Result)) : WaitAsync(use);
    }

    public async ValueTask<ModelLease<TModel>> Acquire(string modelId, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(modelId);
        var use = await cache.UseAsync(modelId, request: null, cancellationToken).ConfigureAwait(false);
        return new ModelLease<TModel>(modelId, ModelOf(use), () => cache.End(use));
    }

    private static async ValueTask<TModel> WaitAsync(ValueTask<CachedModelUse> use) => ModelOf(await use.ConfigureAwait(false));

    private static TModel ModelOf(CachedModelUse use) => (TModel)use.Model.Ready.Task.Result;

    private static RequestContext Request() => RequestContext.Current ?? throw new InvalidOperationException(
        "Get requires a current request, whose end ends the use of the model. Use: using var lease = await models.Acquire(id).");
}
