namespace Serve.CoreBench;

/// <summary>The actor that is measured.</summary>
[Remote]
internal sealed class Counter
{
    private int _count;

    public int Increment() => ++_count;
}
