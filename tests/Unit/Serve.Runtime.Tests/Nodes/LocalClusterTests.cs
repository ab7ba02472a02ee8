using Serve.Runtime.Tests.Testing;

namespace Serve.Runtime.Tests.Nodes;

public sealed class LocalClusterTests : IAsyncLifetime, IAsyncDisposable
{
    private static readonly WorkerPlacement Own = new WorkerPlacement.Own("own");
    private readonly LocalClusterFixture _cluster = new();

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
            processes.Add((await _cluster[agent.Id.Value].CreateAsync(Own, cpus: 1)).Process.ProcessId);

        Assert.Equal(["a-worker-1", "b-worker-1", "c-worker-1"], processes);
        await Assert.ThrowsAsync<InsufficientResourcesException>(() => _cluster["a"].CreateAsync(Own, cpus: 1));
    }

    [Fact]
    public async Task Leave_NodeWithActors_OthersKeepTheirs()
    {
        await _cluster["a"].CreateAsync(Own);
        var kept = await _cluster["b"].CreateAsync(Own);

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
        var node = _cluster["a"].Node;
        var actor = await _cluster["a"].CreateAsync(Own);
        var lease = await node.LeaseWorkerAsync(Own, CancellationToken.None);

        var drained = node.DrainAsync(CancellationToken.None);

        Assert.Equal(NodePhase.Draining, node.Phase);
        Assert.Contains("draining", (await Assert.ThrowsAsync<InsufficientResourcesException>(() => _cluster["a"].CreateAsync(Own))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InsufficientResourcesException>(() => node.LeaseWorkerAsync(Own, CancellationToken.None));
        await node.StopActorAsync(actor.Id, TimeSpan.Zero, CancellationToken.None);
        Assert.False(drained.IsCompleted);
        await lease.DisposeAsync();
        await drained.SoonAsync();
    }

    [Fact]
    public async Task Lease_WorkerIsKilled_ReportsReasonAndEvent()
    {
        var node = _cluster["a"].Node;
        await using var lease = await node.LeaseWorkerAsync(Own, CancellationToken.None);
        await using (var connection = await lease.ConnectAsync(CancellationToken.None))
            Assert.True(connection.CanWrite);

        lease.Kill("killed by the test");

        Assert.Contains("killed by the test", await lease.Exited.SoonAsync(), StringComparison.Ordinal);
        Assert.Equal(lease.WorkerId, Assert.IsType<NodeEvent.WorkerDied>(await _cluster["a"].NextEventAsync()).WorkerId);
    }

    [Fact]
    public async Task Watch_FromAVersion_ContinuesAfterIt()
    {
        var node = _cluster["a"].Node;
        for (var i = 0; i < 2; i++)
        {
            await using var lease = await node.LeaseWorkerAsync(Own, CancellationToken.None);
            lease.Kill("killed by the test");
            await lease.Exited;
            await _cluster["a"].NextEventAsync();
        }

        await using var later = node.WatchAsync(afterVersion: 1, CancellationToken.None).GetAsyncEnumerator();

        Assert.True(await later.MoveNextAsync().SoonAsync());
        Assert.Equal((2, "a-worker-2"), (later.Current.Version, Assert.IsType<NodeEvent.WorkerDied>(later.Current).WorkerId));
    }

    [Fact]
    public async Task Grant_OfALocalNode_IsItsWholeLedger()
    {
        await using var grant = await _cluster["a"].Node.GrantAsync(ResourceDemand.None, CancellationToken.None);

        Assert.Equal((new NodeId("a"), ResourceDemand.None.With(ResourceDemand.Cpu, 1)), (grant.Node, grant.Amount));
    }
}
