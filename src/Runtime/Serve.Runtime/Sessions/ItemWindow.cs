namespace Serve.Runtime.Sessions;

/// <summary>How many more items of a stream may be sent before the head has room. Forgotten by its session when disposed.</summary>
internal sealed class ItemWindow(int size, Action forget) : IDisposable
{
    private readonly SemaphoreSlim room = new(size);

    public Task WaitAsync(CancellationToken cancellationToken) => room.WaitAsync(cancellationToken);

    public void Taken() => room.Release();

    public void Dispose() => forget();
}
