using Serve.Routes;

namespace Serve.Runtime;

/// <summary>Turns ids and routes into references. Holds no state of its own.</summary>
internal sealed class ActorDirectory(ProcessIdentity identity, ActorHost host) : IActorDirectory
{
    public string ProcessId => identity.ProcessId;

    public ActorHandle Resolve(ActorId id, ProcessRoute process) => process.ProcessId == identity.ProcessId
        ? host.Find(id) as ActorHandle ?? new AbsentActor(id, process, host)
        : throw new NotSupportedException();
}
