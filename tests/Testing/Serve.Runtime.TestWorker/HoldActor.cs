namespace Serve.Runtime.TestWorker;

/// <summary>An actor whose calls can be paused two at a time, while another concurrency group returns their number.</summary>
[Remote(Concurrency = ConcurrencyMode.Parallel, MaxConcurrency = 2, ConcurrencyGroups = "control=1")]
public sealed class HoldActor : IDisposable
{
    private readonly ManualResetEventSlim _released = new();
    private int _held;

    public bool Hold()
    {
        Interlocked.Increment(ref _held);
        return _released.Wait(TimeSpan.FromSeconds(30));
    }

    [ConcurrencyGroup("control")]
    public int Held() => Volatile.Read(ref _held);

    /// <summary>The same in the concurrency group of the paused calls.</summary>
    public int HeldNow() => Volatile.Read(ref _held);

    [ConcurrencyGroup("control")]
    public void Release() => _released.Set();

    public void Dispose() => _released.Dispose();
}
