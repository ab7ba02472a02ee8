using Serve.Routes;

namespace Serve.Runtime;

/// <summary>Turns an actor's id and process into something to call. One in every process, node and worker alike; safe for concurrent use.</summary>
public interface IActorReferenceResolver
{
    /// <summary>This process, as in <see cref="HostProcessAddress.ProcessId"/>.</summary>
    string ProcessId { get; }

    /// <summary>A reference to the actor: direct when <paramref name="process"/> is this one, over gRPC otherwise. Never waits; an actor that is not there refuses calls.</summary>
    /// <param name="id">The actor.</param>
    /// <param name="process">The process that holds it.</param>
    /// <returns>The reference; cheap to make, made once per snapshot.</returns>
    ActorReference Resolve(ActorId id, HostProcessAddress process);
}
