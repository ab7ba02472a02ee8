namespace Serve.Replica.Tests.Samples;

[Deployment]
public sealed class Counter
{
    private int count;

    public object Call() => new { count = ++count };
}
