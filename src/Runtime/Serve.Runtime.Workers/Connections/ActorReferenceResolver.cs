using Serve.Calls;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Resolves actor ids and process addresses to references. Holds no state.</summary>
internal sealed class ActorReferenceResolver(ProcessIdentity identity, ProcessActorHost host, ProcessConnectionPool connections) : IActorReferenceResolver
{
    public string ProcessId => identity.ProcessId;

    public ICallTarget Resolve(ActorId id, HostProcessAddress process) => process.ProcessId == identity.ProcessId
        ? host.Resolve(id)
        : new RemoteActorReference(id, process, connections);
}
