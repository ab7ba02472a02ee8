namespace Serve.Routing;

/// <summary>A routing policy over a fixed set of replicas. Immutable: a new snapshot makes a new one; queueing is not its business.</summary>
public abstract class ReplicaPicker
{
    /// <summary>Picks a replica and enters it.</summary>
    /// <returns>The replica, or to wait, or to give up.</returns>
    public abstract ReplicaPickResult Pick();
}
