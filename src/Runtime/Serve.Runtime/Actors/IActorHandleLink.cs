namespace Serve.Runtime.Actors;

/// <summary>A handle to an actor, independent of its class: counted by the actor in the driver, and by the driver on behalf of workers.</summary>
public interface IActorHandleLink
{
    ActorHandleDescriptor Descriptor { get; }

    /// <summary>The cluster of the actor.</summary>
    Cluster Cluster { get; }
}

/// <summary>Identifies an actor to other processes that hold handles to it.</summary>
/// <param name="Number">The actor's number, unique in its cluster; also the number of the reference that becomes ready when the actor has been created.</param>
/// <param name="Name">The actor's name; null if it has none.</param>
/// <param name="IsLimited">Whether the actor may refuse calls, so that callers must wait for a confirmation.</param>
public readonly record struct ActorHandleDescriptor(long Number, string? Name, bool IsLimited);
