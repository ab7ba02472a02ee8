namespace Serve.Runtime.TestWorker;

/// <summary>An actor with concurrency groups whose methods run in parallel.</summary>
[Remote(Concurrency = ConcurrencyMode.Parallel, MaxConcurrency = 1, ConcurrencyGroups = "io=2, compute=1")]
public sealed class GroupActor
{
    private int _inside;
    private int _most;

    public int Most => _most;

    [ConcurrencyGroup("io")]
    public int Io(TestCallGate gate) => Within(gate);

    [ConcurrencyGroup("compute")]
    public int Compute(TestCallGate gate) => Within(gate);

    public int Plain() => 1;

    public int Held(TestCallGate gate) => Within(gate);

    public int ReadMost() => _most;

    private int Within(TestCallGate gate)
    {
        var now = Interlocked.Increment(ref _inside);
        lock (this)
            _most = Math.Max(_most, now);
        gate.OnEntered();
        gate.Opened.Wait();
        Interlocked.Decrement(ref _inside);
        return now;
    }
}
