namespace Serve;

/// <summary>A lease on a multiplexed model, which is not unloaded until the lease is disposed.</summary>
/// <typeparam name="TModel">The model's type.</typeparam>
public sealed class ModelLease<TModel> : IDisposable, IAsyncDisposable
{
    private readonly TModel _model;
    private Action? _release;

    /// <summary>Creates a lease. For implementations of <see cref="IMultiplexed{TModel}.Acquire"/> and test doubles.</summary>
    /// <param name="modelId">The model's id.</param>
    /// <param name="model">The model.</param>
    /// <param name="release">Returns the model; called once, when the lease is disposed.</param>
    public ModelLease(string modelId, TModel model, Action release)
    {
        ModelId = modelId;
        _model = model;
        _release = release;
    }

    /// <summary>Gets the model's id.</summary>
    public string ModelId { get; }

    /// <summary>Gets the model.</summary>
    /// <exception cref="ObjectDisposedException">The lease has been disposed; the model may be unloaded.</exception>
    public TModel Model
    {
        get
        {
            ObjectDisposedException.ThrowIf(Volatile.Read(ref _release) is null, this);
            return _model;
        }
    }

    /// <summary>Ends the lease. The model stays loaded until another one needs its slot. Idempotent; does not block.</summary>
    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();

    /// <inheritdoc cref="Dispose"/>
    /// <returns>A completed task.</returns>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }
}
