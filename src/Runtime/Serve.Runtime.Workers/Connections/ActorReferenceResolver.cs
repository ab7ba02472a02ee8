using Serve.Routes;
using Serve.Runtime.Workers.Rpc;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Turns ids and routes into references. Holds no state of its own.</summary>
internal sealed class ActorReferenceResolver(ProcessIdentity identity, ProcessActorHost host, CallChannels channels) : IActorReferenceResolver
{
    public string ProcessId => identity.ProcessId;

    public ActorReference Resolve(ActorId id, HostProcessAddress process) => process.ProcessId == identity.ProcessId
        ? host.Find(id) as ActorReference ?? new LateBoundActorReference(id, process, host)
        : new RemoteActorReference(id, process, channels);
}
