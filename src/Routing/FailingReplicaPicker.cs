namespace Serve.Routing;

/// <summary>Fails every request: the deployment is gone, or no replica is coming.</summary>
/// <param name="failure">Makes the error.</param>
public sealed class FailingReplicaPicker(Func<ServeException> failure) : ReplicaPicker
{
    /// <inheritdoc/>
    public override ReplicaPickResult Pick() => ReplicaPickResult.Fail(failure);
}
