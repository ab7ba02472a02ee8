namespace Serve.Runtime.Workers.Connections;

/// <summary>How many more items of a stream may be sent before the head has room. Forgotten by its session when disposed.</summary>
internal sealed class StreamItemWindow(int size, Action forget) : IDisposable
{
    private readonly SemaphoreSlim _room = new(size);

    public Task WaitAsync(CancellationToken cancellationToken) => _room.WaitAsync(cancellationToken);

    public void OnItemConsumed() => _room.Release();

    public void Dispose() => forget();
}
