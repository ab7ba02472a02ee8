namespace Serve;

/// <summary>The use of a multiplexed model: while it lasts, the model is not unloaded.</summary>
/// <typeparam name="TModel">The model's type.</typeparam>
public sealed class ModelLease<TModel> : IDisposable, IAsyncDisposable
{
    private readonly TModel _model;
    private Action? _release;

    /// <summary>A lease; made by <see cref="IMultiplexed{TModel}.Acquire"/>, or by a stand-in for it in a test.</summary>
    /// <param name="modelId">The model's id.</param>
    /// <param name="model">The model.</param>
    /// <param name="release">Ends the use; called once, when the lease is disposed.</param>
    public ModelLease(string modelId, TModel model, Action release)
    {
        ModelId = modelId;
        _model = model;
        _release = release;
    }

    /// <summary>The model's id.</summary>
    public string ModelId { get; }

    /// <summary>The model.</summary>
    /// <exception cref="ObjectDisposedException">The lease has ended: the model may be unloaded.</exception>
    public TModel Model
    {
        get
        {
            ObjectDisposedException.ThrowIf(Volatile.Read(ref _release) is null, this);
            return _model;
        }
    }

    /// <summary>Ends the use. The model stays loaded until another needs its place. Idempotent; never waits.</summary>
    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();

    /// <inheritdoc cref="Dispose"/>
    /// <returns>A completed task.</returns>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }
}
