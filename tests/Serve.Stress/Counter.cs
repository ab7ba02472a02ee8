namespace Serve.Stress;

/// <summary>An actor of this process.</summary>
[Remote]
internal sealed class Counter
{
    private int count;

    public int Increment() => ++count;
}
