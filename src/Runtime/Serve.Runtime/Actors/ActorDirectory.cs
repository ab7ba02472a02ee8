using Serve.Routes;
using Serve.Runtime.Rpc;

namespace Serve.Runtime;

/// <summary>Turns ids and routes into references. Holds no state of its own.</summary>
internal sealed class ActorDirectory(ProcessIdentity identity, ActorHost host, CallChannels channels) : IActorDirectory
{
    public string ProcessId => identity.ProcessId;

    public ActorHandle Resolve(ActorId id, ProcessRoute process) => process.ProcessId == identity.ProcessId
        ? host.Find(id) as ActorHandle ?? new AbsentActor(id, process, host)
        : new RemoteActor(id, process, channels);
}
