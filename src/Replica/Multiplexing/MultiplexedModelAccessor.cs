using Serve.Calls;

namespace Serve.Replica.Multiplexing;

/// <summary>What user code asks for models. Holds no state of its own.</summary>
/// <param name="cache">The models.</param>
internal sealed class MultiplexedModelAccessor<TModel>(MultiplexedModelCache cache) : IMultiplexed<TModel>
{
    public IReadOnlyList<string> Loaded => cache.Loaded;

    public ValueTask<TModel> Get(CancellationToken cancellationToken = default) =>
        Get(Request().Call.MultiplexedModelId ?? throw new BadInputException(
            "The request names no model. Over HTTP it does so by the header serve_multiplexed_model_id, through a handle by Options(multiplexedModelId: …)."),
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
        "There is no request here whose end would end the use of the model. Use: using var lease = await models.Acquire(id).");
}
