namespace Serve.Runtime.TestWorker;

/// <summary>An actor with concurrency groups, whose methods run side by side.</summary>
[Remote(Concurrency = ConcurrencyMode.Parallel, MaxConcurrency = 1, ConcurrencyGroups = "io=2, compute=1")]
public sealed class GroupActor
{
    private int inside;
    private int most;

    public int Most => most;

    [ConcurrencyGroup("io")]
    public int Io(TestCallGate gate) => Within(gate);

    [ConcurrencyGroup("compute")]
    public int Compute(TestCallGate gate) => Within(gate);

    public int Plain() => 1;

    public int Held(TestCallGate gate) => Within(gate);

    public int ReadMost() => most;

    private int Within(TestCallGate gate)
    {
        var now = Interlocked.Increment(ref inside);
        lock (this)
            most = Math.Max(most, now);
        gate.OnEntered();
        gate.Opened.Wait();
        Interlocked.Decrement(ref inside);
        return now;
    }
}
