using System.Collections.Concurrent;
using System.Text.Json;
using System.Threading.Channels;
using Serve.Replicas;
using Serve.Routes;
using Serve.Runtime;

namespace Serve.Controller.Tests;

/// <summary>A node without processes: actors are entries in a table. Tests decide which operations fail and which actors die.</summary>
internal sealed class FakeNodeAgent : INodeAgent
{
    private readonly Channel<NodeEvent> _events = Channel.CreateUnbounded<NodeEvent>();
    private readonly ConcurrentQueue<RouteSnapshot> _published = new();

    public ConcurrentDictionary<string, ActorSpec> Actors { get; } = new();

    public ConcurrentQueue<string> Calls { get; } = new();

    /// <summary>The newest published snapshot; publications run concurrently, and an older one may arrive later.</summary>
    public RouteSnapshot? Routes => _published.MaxBy(snapshot => snapshot.Version);

    public Func<ReplicaStartRequest, Task> OnCreate { get; set; } = _ => Task.CompletedTask;

    public Func<string, Task> OnStop { get; set; } = _ => Task.CompletedTask;

    public Func<ReplicaSettingsUpdate, Task> OnReconfigure { get; set; } = _ => Task.CompletedTask;

    public Func<string, CancellationToken, Task> OnCheckHealth { get; set; } = (_, _) => Task.CompletedTask;

    public Func<RouteSnapshot, Task> OnPublish { get; set; } = _ => Task.CompletedTask;

    public IReadOnlyList<string> WorkerMetrics { get; set; } = [];

    public ResourceDemand Total { get; set; } = ResourceDemand.None.With(ResourceDemand.Cpu, 4).With(ResourceDemand.Memory, 1e9);

    public string ProcessId => "node";

    public ChannelReader<NodeEvent> Events => _events.Reader;

    public ResourceLedgerSnapshot Resources => new(Total, Actors.Values.Aggregate(ResourceDemand.None, (sum, actor) =>
        new() { Units = actor.Resources.Units.Aggregate(sum.Units, (units, unit) => units.SetItem(unit.Key, units.GetValueOrDefault(unit.Key) + unit.Value)) }));

    public IReadOnlyList<WorkerStatus> Workers => [.. Actors.Values
        .Where(actor => actor.Placement != WorkerPlacement.InProcess)
        .GroupBy(ProcessOf)
        .Select(group => new WorkerStatus(group.Key, 4242, group.Key, [.. group.Select(actor => actor.Id)], "/dev/null"))];

    public async Task<ActorReference> CreateAsync(ActorSpec spec, CancellationToken cancellationToken)
    {
        var start = JsonSerializer.Deserialize<ReplicaStartRequest>(spec.Payload.Span, ServeJson.Options)!;
        Calls.Enqueue($"create {spec.Id}");
        await OnCreate(start).WaitAsync(cancellationToken);
        Actors[spec.Id.Value] = spec;
        return new FakeHandle(spec.Id, new(ProcessOf(spec)));
    }

    public async Task StopAsync(ActorId id, TimeSpan drainTimeout, CancellationToken cancellationToken)
    {
        Calls.Enqueue($"stop {id}");
        await OnStop(id.Value).WaitAsync(cancellationToken);
        Actors.TryRemove(id.Value, out _);
    }

    public Task ReconfigureAsync(ActorId id, int maxOngoing, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        Calls.Enqueue($"reconfigure {id}");
        return OnReconfigure(JsonSerializer.Deserialize<ReplicaSettingsUpdate>(payload.Span, ServeJson.Options)!);
    }

    public Task CheckHealthAsync(ActorId id, CancellationToken cancellationToken)
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

    public Task<IReadOnlyList<string>> CollectWorkerMetricsAsync(CancellationToken cancellationToken) => Task.FromResult(WorkerMetrics);

    public ActorReference Resolve(ActorId id, HostProcessAddress process) => new FakeHandle(id, process);

    public void Kill(string id, string reason = "signal 9")
    {
        Actors.TryRemove(id, out _);
        Calls.Enqueue($"died {id}");
        _events.Writer.TryWrite(new NodeEvent.ActorDied(new(id), reason));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static string ProcessOf(ActorSpec spec) => spec.Placement switch
    {
        WorkerPlacement.Shared shared => shared.Key,
        WorkerPlacement.Own own => own.Label,
        _ => "node",
    };
}
