using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Serve.Runtime.Sessions;
using Serve.Runtime.Tasks;
using Serve.Runtime.Wire;

namespace Serve.Runtime.CoreActors;

/// <summary>The actors of Core that live in this worker: made, called and ended as the head says. Its table is written by the session's reader.</summary>
#pragma warning disable CA1001 // Its threads last as long as the process.
internal sealed class WorkerActors
#pragma warning restore CA1001
{
    private readonly WorkerSession session;
    private readonly ConcurrentDictionary<string, WorkerActor> actors = new(StringComparer.Ordinal);
    private readonly CoreThreads threads = new();
    private readonly ActorHost host;

    public WorkerActors(WorkerSession session)
    {
        this.session = session;
        host = new(new LocalServices(new CoreActivator(session.Cluster)), new("worker"), TimeProvider.System, NullLogger<ActorHost>.Instance);
    }

    public void Define(Actor told) => actors[told.ActorId] = new(told, session, host, threads);

    public WorkerActorRun RunOf(Run message) => new(session, message, actors[message.ActorId]);
}
