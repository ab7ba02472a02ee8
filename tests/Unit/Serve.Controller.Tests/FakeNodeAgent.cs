using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using Serve.Nodes;
using Serve.Replicas;
using Serve.Routes;

namespace Serve.Controller.Tests;

/// <summary>A node without processes: actors are entries in a table. Tests decide which operations fail and which actors die.</summary>
internal sealed class FakeNodeAgent(string name = "n1") : INodeAgent
{
    private readonly Channel<NodeEvent> _events = Channel.CreateUnbounded<NodeEvent>();
    private readonly ConcurrentQueue<RouteSnapshot> _published = new();
    private long _version;

    public ConcurrentDictionary<string, ActorSpec> Actors { get; } = new();

    public ConcurrentQueue<string> Calls { get; } = new();

    /// <summary>The newest published snapshot; publications run concurrently, and an older one may arrive later.</summary>
    public RouteSnapshot? Routes => _published.MaxBy(snapshot => snapshot.Version);

    /// <summary>Notices of every actor.</summary>
    public IReadOnlyList<string> Notices { get; set; } = [];

    /// <summary>Resources that were last requested to be kept ready.</summary>
    public NodeStandby Standby { get; private set; } = NodeStandby.None;

    public void KeepReady(NodeStandby standby) => Standby = standby;

    public Func<ReplicaStartRequest, Task> OnCreate { get; set; } = _ => Task.CompletedTask;

    public Func<string, Task> OnStop { get; set; } = _ => Task.CompletedTask;

    public Func<ReplicaSettingsUpdate, Task> OnReconfigure { get; set; } = _ => Task.CompletedTask;

    public Func<string, CancellationToken, Task> OnCheckHealth { get; set; } = (_, _) => Task.CompletedTask;

    public Func<RouteSnapshot, Task> OnPublish { get; set; } = _ => Task.CompletedTask;

    public IReadOnlyList<string> WorkerMetrics { get; set; } = [];

    public ResourceDemand Total { get; set; } = ResourceDemand.None.With(ResourceDemand.Cpu, 4).With(ResourceDemand.Memory, 1e9);

    public NodeId Id { get; } = new(name);

    public NodePhase Phase { get; set; } = NodePhase.Ready;

    public string ProcessId => "node";

    public ResourceLedgerSnapshot Resources => new(Total, Actors.Values.Aggregate(ResourceDemand.None, (sum, actor) =>
        new() { Units = actor.Resources.Units.Aggregate(sum.Units, (units, unit) => units.SetItem(unit.Key, units.GetValueOrDefault(unit.Key) + unit.Value)) }));

    public IReadOnlyList<WorkerStatus> Workers => [.. Actors.Values
        .Where(actor => actor.Placement != WorkerPlacement.InProcess)
        .GroupBy(ProcessOf)
        .Select(group => new WorkerStatus(group.Key, 4242, group.Key, [.. group.Select(actor => actor.Id)], "/dev/null"))];

    public async Task<HostProcessAddress> CreateActorAsync(ActorSpec spec, CancellationToken cancellationToken)
    {
        var start = JsonSerializer.Deserialize<ReplicaStartRequest>(spec.Payload.Span, ServeJson.Options)!;
        Calls.Enqueue($"create {spec.Id}");
        await OnCreate(start).WaitAsync(cancellationToken);
        Actors[spec.Id.Value] = spec;
        return new(ProcessOf(spec));
    }

    public ConcurrentDictionary<string, ReadOnlyMemory<byte>> Settings { get; } = new();

    public Task<IReadOnlyList<HostedActorEntry>> ListActorsAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<HostedActorEntry>>(
        [.. Actors.Values.Select(spec => new HostedActorEntry(spec, new(ProcessOf(spec)), Settings.GetValueOrDefault(spec.Id.Value)))]);

    public async Task StopActorAsync(ActorId id, TimeSpan drainTimeout, CancellationToken cancellationToken)
    {
        Calls.Enqueue($"stop {id}");
        await OnStop(id.Value).WaitAsync(cancellationToken);
        Actors.TryRemove(id.Value, out _);
    }

    public Task ReconfigureActorAsync(ActorId id, int maxOngoing, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        Calls.Enqueue($"reconfigure {id}");
        Settings[id.Value] = payload;
        return OnReconfigure(JsonSerializer.Deserialize<ReplicaSettingsUpdate>(payload.Span, ServeJson.Options)!);
    }

    public Task<IReadOnlyList<string>> GetActorNoticesAsync(ActorId id, CancellationToken cancellationToken) => Task.FromResult(Notices);

    public Task CheckActorAsync(ActorId id, TimeSpan timeout, CancellationToken cancellationToken)
    {
        Calls.Enqueue($"check {id}");
        return OnCheckHealth(id.Value, cancellationToken);
    }

    public async Task PublishAsync(string topic, SnapshotVersion version, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        var snapshot = JsonSerializer.Deserialize<RouteSnapshot>(payload.Span, ServeJson.Options)!;
        _published.Enqueue(snapshot);
        await OnPublish(snapshot).WaitAsync(cancellationToken);
        Calls.Enqueue($"published {version}: {string.Join(" ", snapshot.Deployments.SelectMany(deployment => deployment.Replicas).Select(replica => replica.ReplicaId))}");
    }

    public Task<IReadOnlyList<string>> CollectMetricsAsync(CancellationToken cancellationToken) => Task.FromResult(WorkerMetrics);

    public async IAsyncEnumerable<NodeEvent> WatchAsync(long afterVersion, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var happened in _events.Reader.ReadAllAsync(cancellationToken))
            yield return happened;
    }

    public void Kill(string id, string reason = "signal 9")
    {
        Actors.TryRemove(id, out _);
        Calls.Enqueue($"died {id}");
        _events.Writer.TryWrite(new NodeEvent.ActorDied(++_version, new(id), reason));
    }

    public Task FetchPackageAsync(string hash, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<IResourceGrant> GrantAsync(LeaseOwner owner, ResourceDemand demand, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IWorkerLease> LeaseWorkerAsync(LeaseOwner owner, WorkerPlacement placement, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<bool> RenewAsync(LeaseOwner owner, CancellationToken cancellationToken) => throw new NotSupportedException();

    public TimeSpan LeaseLifetime => TimeSpan.FromSeconds(10);

    public Task PullObjectAsync(ObjectId id, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task DrainAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static string ProcessOf(ActorSpec spec) => spec.Placement switch
    {
        WorkerPlacement.Shared shared => shared.Key,
        WorkerPlacement.Own own => own.Label,
        _ => "node",
    };
}
