namespace Serve.Runtime;

/// <summary>Resolves the id and the process of an actor to a callable reference. One per process, in nodes and workers; thread-safe.</summary>
public interface IActorReferenceResolver
{
    /// <summary>The id of this process, as in <see cref="HostProcessAddress.ProcessId"/>.</summary>
    string ProcessId { get; }

    /// <summary>A reference to the actor: direct when <paramref name="process"/> is this one, over gRPC otherwise. Never waits; an actor that is not there refuses calls.</summary>
    /// <param name="id">The actor.</param>
    /// <param name="process">The process that holds it.</param>
    /// <returns>The reference; cheap to make, made once per snapshot.</returns>
    ActorReference Resolve(ActorId id, HostProcessAddress process);
}
