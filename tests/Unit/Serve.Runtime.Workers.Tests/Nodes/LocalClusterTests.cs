using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Serve.Runtime.Testing;
using Serve.Runtime.TestWorker;

namespace Serve.Runtime.Workers.Tests.Nodes;

public sealed class LocalClusterTests : IAsyncLifetime, IAsyncDisposable
{
    private static readonly WorkerPlacement Own = new WorkerPlacement.Own("own");
    private readonly Dictionary<string, LocalAgentFixture> _fixtures = [];
    private static readonly LeaseOwner Owner = new("owner");
    private readonly LocalNodeCluster _cluster = new([LocalAgentFixture.Executable, "worker"], static (services, _) => TestWorkerServices.Add(services));

    public Task InitializeAsync()
    {
        foreach (var name in (string[])["a", "b", "c"])
            _cluster.Join(name);
        return Task.CompletedTask;
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Create_OneActorPerNode_RunsInWorkersOfItsNode()
    {
        var processes = new List<string>();
        foreach (var agent in _cluster.Directory.Current.Agents)
            processes.Add((await On(agent.Id.Value).CreateAsync(Own, cpus: 1)).Process.ProcessId);

        Assert.Equal(["a-worker-1", "b-worker-1", "c-worker-1"], processes);
        await Assert.ThrowsAsync<InsufficientResourcesException>(() => On("a").CreateAsync(Own, cpus: 1));
    }

    [Fact]
    public async Task Leave_NodeWithActors_OthersKeepTheirs()
    {
        await On("a").CreateAsync(Own);
        var kept = await On("b").CreateAsync(Own);

        await _cluster.LoseAsync("a");

        Assert.Null(_cluster.Directory.Current.Find(new("a")));
        Assert.Equal(1, await kept.CallAsync<int>("Increment"));
    }

    [Fact]
    public async Task Watch_NodesJoinAndLeave_EndsWithTheNewestSnapshot()
    {
        var snapshots = _cluster.Directory.WatchAsync(CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await snapshots.MoveNextAsync());
        var first = snapshots.Current;

        _cluster.Join("d");
        await _cluster.LoseAsync("b");

        Assert.True(await snapshots.MoveNextAsync());
        Assert.Equal(["a", "c", "d"], snapshots.Current.Agents.Select(agent => agent.Id.Value));
        Assert.Equal(first.Version + 2, snapshots.Current.Version);
        Assert.Throws<ArgumentException>(() => _cluster.Directory.Join(first.Agents[0]));
    }

    [Fact]
    public async Task Drain_NodeWithActorAndLease_RefusesNewOnesAndWaits()
    {
        var node = _cluster["a"].Agent;
        var actor = await On("a").CreateAsync(Own);
        var lease = await node.LeaseWorkerAsync(Owner, Own, CancellationToken.None);

        var drained = node.DrainAsync(CancellationToken.None);

        Assert.Equal(NodePhase.Draining, node.Phase);
        Assert.Contains("draining", (await Assert.ThrowsAsync<InsufficientResourcesException>(() => On("a").CreateAsync(Own))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InsufficientResourcesException>(() => node.LeaseWorkerAsync(Owner, Own, CancellationToken.None));
        await node.StopActorAsync(actor.Id, TimeSpan.Zero, CancellationToken.None);
        Assert.False(drained.IsCompleted);
        await lease.DisposeAsync();
        await drained.SoonAsync();
    }

    [Fact]
    public async Task Lease_WorkerIsKilled_ReportsReasonAndEvent()
    {
        var node = _cluster["a"].Agent;
        await using var lease = await node.LeaseWorkerAsync(Owner, Own, CancellationToken.None);
        await using (var connection = await lease.ConnectAsync(CancellationToken.None))
            Assert.True(connection.CanWrite);

        lease.Kill("killed by the test");

        Assert.Contains("killed by the test", await lease.Exited.SoonAsync(), StringComparison.Ordinal);
        Assert.Equal(lease.WorkerId, Assert.IsType<NodeEvent.WorkerDied>(await On("a").NextEventAsync()).WorkerId);
    }

    [Fact]
    public async Task Watch_FromAVersion_ContinuesAfterIt()
    {
        var node = _cluster["a"].Agent;
        for (var i = 0; i < 2; i++)
        {
            await using var lease = await node.LeaseWorkerAsync(Owner, Own, CancellationToken.None);
            lease.Kill("killed by the test");
            await lease.Exited;
            await On("a").NextEventAsync();
        }

        await using var later = node.WatchAsync(afterVersion: 1, CancellationToken.None).GetAsyncEnumerator();

        Assert.True(await later.MoveNextAsync().SoonAsync());
        Assert.Equal((2, "a-worker-2"), (later.Current.Version, Assert.IsType<NodeEvent.WorkerDied>(later.Current).WorkerId));
    }

    [Fact]
    public async Task Grant_ResourcesOfTheNode_AreReservedUntilItIsReturned()
    {
        var node = _cluster["a"].Agent;
        var cpu = ResourceDemand.None.With(ResourceDemand.Cpu, 1);
        var first = await node.GrantAsync(Owner, cpu, CancellationToken.None);
        Assert.Equal((new NodeId("a"), cpu, cpu), (first.Node, first.Amount, node.Resources.Reserved));

        var second = node.GrantAsync(Owner, cpu, CancellationToken.None);
        await Assert.ThrowsAsync<InsufficientResourcesException>(() => On("a").CreateAsync(Own, cpus: 1));
        Assert.False(second.IsCompleted);
        await first.DisposeAsync();

        await (await second.SoonAsync()).DisposeAsync();
        Assert.Equal(ResourceDemand.None, node.Resources.Reserved);
        await Assert.ThrowsAsync<InsufficientResourcesException>(() => node.GrantAsync(Owner, ResourceDemand.None.With(ResourceDemand.Cpu, 2), CancellationToken.None));
    }

    [Fact]
    public async Task ListActors_ReconfiguredActor_HasItsSpecAddressAndSettings()
    {
        var node = _cluster["a"].Agent;
        var actor = await On("a").CreateAsync(Own, "payload", cpus: 0.5);
        var before = Assert.Single(await node.ListActorsAsync(CancellationToken.None));
        Assert.Equal(("payload", 0), (System.Text.Encoding.UTF8.GetString(before.Spec.Payload.Span), before.Settings.Length));

        await node.ReconfigureActorAsync(actor.Id, 7, "settings"u8.ToArray(), CancellationToken.None);

        var entry = Assert.Single(await node.ListActorsAsync(CancellationToken.None));
        Assert.Equal((actor.Id, "a-worker-1", "settings"), (entry.Spec.Id, entry.Address.ProcessId, System.Text.Encoding.UTF8.GetString(entry.Settings.Span)));
        await node.StopActorAsync(actor.Id, TimeSpan.Zero, CancellationToken.None);
        Assert.Empty(await node.ListActorsAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Renew_OwnerStopsRenewing_ItsGrantsAndWorkersEnd()
    {
        var time = new FakeTimeProvider();
        await using var node = new LocalNode(
            new() { WorkerCommand = [LocalAgentFixture.Executable, "worker"], Resources = ResourceDemand.None.With(ResourceDemand.Cpu, 2), LeaseLifetime = TimeSpan.FromMinutes(1), PingPeriod = TimeSpan.FromHours(1) },
            services =>
            {
                TestWorkerServices.Add(services);
                services.AddSingleton<TimeProvider>(time);
            });
        var other = new LeaseOwner("other");
        var cpu = ResourceDemand.None.With(ResourceDemand.Cpu, 1);
        await using var grant = await node.Agent.GrantAsync(Owner, cpu, CancellationToken.None);
        await using var lease = await node.Agent.LeaseWorkerAsync(Owner, Own, CancellationToken.None);
        await using var kept = await node.Agent.GrantAsync(other, cpu, CancellationToken.None);

        for (var step = 0; step < 5; step++)
        {
            Assert.True(await node.Agent.RenewAsync(other, CancellationToken.None));
            time.Advance(TimeSpan.FromSeconds(15));
        }

        Assert.Contains("owner has not renewed its lease for 60 s", await lease.Exited.SoonAsync(), StringComparison.Ordinal);
        await Eventually.TrueAsync(() => node.Agent.Resources.Reserved == cpu);
        Assert.False(await node.Agent.RenewAsync(Owner, CancellationToken.None));
        Assert.True(await node.Agent.RenewAsync(other, CancellationToken.None));
    }

    private LocalAgentFixture On(string node) => _fixtures.TryGetValue(node, out var fixture) ? fixture : _fixtures[node] = new(_cluster[node]);
}
