namespace Serve.Replica.Tests.Samples;

[Deployment]
public sealed class Counter
{
    private int _count;

    public object Call() => new { count = ++_count };
}
