namespace Serve.Stress;

/// <summary>An actor of this process.</summary>
[Remote]
internal sealed class Counter
{
    private int _count;

    public int Increment() => ++_count;
}
