namespace Serve.Runtime.Workers.Connections;

/// <summary>Number of stream items that may still be sent before the receiver has consumed some. Disposing it removes it from its connection.</summary>
internal sealed class StreamItemWindow(int size, Action forget) : IDisposable
{
    private readonly SemaphoreSlim _room = new(size);

    public Task WaitAsync(CancellationToken cancellationToken) => _room.WaitAsync(cancellationToken);

    public void OnItemConsumed() => _room.Release();

    public void Dispose() => forget();
}
