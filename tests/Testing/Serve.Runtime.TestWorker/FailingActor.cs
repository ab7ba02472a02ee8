namespace Serve.Runtime.TestWorker;

/// <summary>An actor whose constructor throws.</summary>
[Remote]
public sealed class FailingActor
{
    public FailingActor(string message) => throw new InvalidOperationException(message);

    public int One() => 1;
}
