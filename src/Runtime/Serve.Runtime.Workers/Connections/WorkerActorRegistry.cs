using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Serve.Runtime.Actors;
using Serve.Runtime.Tasks;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Core's actors that this worker hosts for its driver. The table is written by the reading thread.</summary>
#pragma warning disable CA1001 // Its threads live as long as the process.
internal sealed class WorkerActorRegistry
#pragma warning restore CA1001
{
    private readonly DriverConnection _session;
    private readonly ConcurrentDictionary<string, WorkerHostedActor> _actors = new(StringComparer.Ordinal);
    private readonly TaskThreadPool _threads = new();
    private readonly ProcessActorHost _host;

    public WorkerActorRegistry(DriverConnection session)
    {
        _session = session;
        _host = new(new ActivatorServiceProvider(new CoreActorActivator(session.Cluster)), new("worker"), TimeProvider.System, NullLogger<ProcessActorHost>.Instance);
    }

    public void Define(Actor description) => _actors[description.ActorId] = new(description, _session, _host, _threads);

    public ActorCallInvocation RunOf(Run message) => new(_session, message, _actors[message.ActorId]);
}
