using Serve.Calls;

namespace Serve.Runtime;

/// <summary>Resolves the id and the process of an actor to a callable reference. One per process, in nodes and workers; thread-safe.</summary>
public interface IActorReferenceResolver
{
    /// <summary>The id of this process, as in <see cref="HostProcessAddress.ProcessId"/>.</summary>
    string ProcessId { get; }

    /// <summary>The actor as a target of calls: an <see cref="ILocalActor"/> if <paramref name="process"/> is this one, otherwise over a connection. Never waits; an actor that does not exist refuses calls.</summary>
    /// <param name="id">The actor.</param>
    /// <param name="process">The process that holds it.</param>
    /// <returns>The target; cheap to create, created once per snapshot.</returns>
    ICallTarget Resolve(ActorId id, HostProcessAddress process);
}
