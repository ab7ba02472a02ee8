namespace Serve.Runtime.Tests.Parallel;

/// <summary>Actor for pool tests.</summary>
[Remote]
internal sealed class PoolDemo
{
    private int _running;

    public int Double(int x)
    {
        Assert.Equal(1, Interlocked.Increment(ref _running));
        Interlocked.Decrement(ref _running);
        return 2 * x;
    }

    public int Wait(Gate gate) => gate.Open.Wait(TimeSpan.FromSeconds(20)) ? gate.Number : -1;

    public int Throw(string message) => throw new FormatException(message);

    /// <summary>Event that a call waits for.</summary>
    internal sealed record Gate(ManualResetEventSlim Open, int Number);
}
