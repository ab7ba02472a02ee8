namespace Serve.Runtime.TestWorker;

/// <summary>An actor of which two calls may be held at once, while another group of its methods tells how many are.</summary>
[Remote(Concurrency = ConcurrencyMode.Parallel, MaxConcurrency = 2, ConcurrencyGroups = "control=1")]
public sealed class HoldActor : IDisposable
{
    private readonly ManualResetEventSlim released = new();
    private int held;

    public bool Hold()
    {
        Interlocked.Increment(ref held);
        return released.Wait(TimeSpan.FromSeconds(30));
    }

    [ConcurrencyGroup("control")]
    public int Held() => Volatile.Read(ref held);

    /// <summary>The same among the calls that may be held.</summary>
    public int HeldNow() => Volatile.Read(ref held);

    [ConcurrencyGroup("control")]
    public void Release() => released.Set();

    public void Dispose() => released.Dispose();
}
