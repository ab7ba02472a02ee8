using Serve;

[Deployment]
public sealed class Lab
{
    public Lab() => throw new InvalidOperationException("the reactor is cold");

    public int Call() => 1;
}
