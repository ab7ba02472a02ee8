// deployments/Counter.cs
using Serve;

[Deployment]
public sealed class Counter
{
    private int count;

    public object Call() => new { count = ++count };
}
