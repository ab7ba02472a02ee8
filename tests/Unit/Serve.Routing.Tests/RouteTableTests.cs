using Serve.Calls;
using Serve.Routes;

namespace Serve.Routing.Tests;

public sealed class RouteTableTests
{
    [Fact]
    public void Apply_OlderOrSameVersion_IsIgnored()
    {
        using var world = new RoutingTestWorld();
        world.Deploy("a/A", "r1");
        Assert.True(world.Table.Apply(world.Snapshot(5)));
        world.Deploy("a/A", "r1 r2");

        Assert.False(world.Table.Apply(world.Snapshot(5)));
        Assert.False(world.Table.Apply(world.Snapshot(4)));
        Assert.Single(world.Router("A").Replicas);
        Assert.True(world.Table.Apply(world.Snapshot(6)));
        Assert.Equal(2, world.Router("A").Replicas.Count);
    }

    [Fact]
    public void Apply_NewControllerCountsFromOne_HigherEpochIsApplied()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1");
        world.Table.Apply(world.Snapshot(100, epoch: 1));
        world.Deploy("a/A", "r1 r2");
        Assert.True(world.Table.Apply(world.Snapshot(1, epoch: 2)));
        Assert.Equal(2, world.Router("A").Replicas.Count);
        Assert.False(world.Table.Apply(world.Snapshot(101, epoch: 1)));
    }

    [Fact]
    public async Task Apply_DeploymentWithoutReplicasWakesOnRequest_RequestIsQueuedAndReportedOnce()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", wakes: true).Publish();
        List<DeploymentId> wakeUps = [];
        world.Table.WakeUpRequested += wakeUps.Add;
        var calls = Enumerable.Range(0, 3).Select(_ => world.Call("A")).ToArray();
        Assert.Equal(new DeploymentId("a", "A"), Assert.Single(wakeUps));
        Assert.Equal(3, world.Router("A").Queued);

        world.Deploy("a/A", "r1", max: 5).Publish();

        Assert.All(await Task.WhenAll(calls), answer => Assert.Equal("r1", answer));
    }

    [Fact]
    public void Apply_ReplicaRemains_KeepsItsCounters()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1", max: 5).Publish();
        Assert.True(world.Router("A").TryAcquire(out var lease));

        world.Deploy("a/A", "r1 r2", max: 5).Publish();

        var slot = world.Router("A").Replicas.Single(replica => replica.Route.ReplicaId == "r1");
        Assert.Same(lease.Slot, slot);
        Assert.Equal(1, slot.Ongoing);
        lease.Release();
        Assert.Equal(0, slot.Ongoing);
    }

    [Fact]
    public void Apply_NewSnapshot_RaisesAppliedAfterwards()
    {
        using var world = new RoutingTestWorld();
        SnapshotVersion seen = default;
        world.Table.Applied += () => seen = world.Table.Current.Version;
        world.Publish();
        Assert.Equal(new SnapshotVersion(1, 1), seen);
    }

    [Fact]
    public void ByLongestPrefix_SeveralApplications_LongestFirst()
    {
        using var world = new RoutingTestWorld()
            .Deploy("a/A", "r1").Deploy("b/B", "r2").Deploy("c/C", "r3")
            .Application("a", "A", "/").Application("b", "B", "/x/y").Application("c", "C", "/x").Publish();

        Assert.Equal(["b", "c", "a"], world.Table.Current.ByLongestPrefix.Select(entry => entry.Route.Application));
    }

    [Fact]
    public async Task GetTarget_UniqueDeploymentName_Resolves()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1").Deploy("b/B", "r2").Publish();
        Assert.Equal("r2", await world.Call("B"));
        Assert.Equal("r1", await world.Call("A", "a"));
    }

    [Fact]
    public async Task GetTarget_AmbiguousName_ListsTheCandidates()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1").Deploy("b/A", "r2").Publish();

        var error = await Assert.ThrowsAsync<NoSuchRouteException>(() => world.Call("A"));

        Assert.Contains("a/A, b/A", error.Message, StringComparison.Ordinal);
        Assert.Equal("r2", await world.Call("A", "b"));
    }

    [Fact]
    public async Task GetTarget_ApplicationName_ResolvesToItsIngress()
    {
        using var world = new RoutingTestWorld().Deploy("shop/Front", "r1").Deploy("shop/Back", "r2").Application("shop", "Front").Publish();
        Assert.Equal("r1", await world.Call("shop"));
    }

    [Fact]
    public async Task GetTarget_UnknownName_ThrowsWithTheName()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1").Publish();
        Assert.Contains("'X'", (await Assert.ThrowsAsync<NoSuchRouteException>(() => world.Call("X"))).Message, StringComparison.Ordinal);
        Assert.Contains("'A'", (await Assert.ThrowsAsync<NoSuchRouteException>(() => world.Call("A", "b"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetTarget_BeforeTheDeploymentExists_ResolvesLater()
    {
        using var world = new RoutingTestWorld();
        var target = world.Table.GetTarget("A");
        await Assert.ThrowsAsync<NoSuchRouteException>(async () =>
            await target.InvokeAsync(new NamedMethodCall<string>("Call"), CallContext.None, default));

        world.Deploy("a/A", "r1").Publish();

        Assert.Equal("r1", await target.InvokeAsync(new NamedMethodCall<string>("Call"), CallContext.None, default));
    }

    [Fact]
    public void Apply_SameReplicaInAnotherProcess_IsResolvedAgain()
    {
        var resolved = new List<ReplicaRoute>();
        using var table = new RouteTable(route =>
        {
            resolved.Add(route);
            return new FakeReplicaTarget(route.ReplicaId);
        });
        DeploymentRoute Deployment(string process) => new()
        {
            Application = "a",
            Deployment = "A",
            MaxOngoingRequests = 1,
            MaxQueuedRequests = 0,
            Replicas = [new ReplicaRoute("r1", new ReplicaAddress(new("n1"), process))],
        };

        table.Apply(new RouteSnapshot { Version = new(1, 1), Deployments = [Deployment("p1")] });
        table.Apply(new RouteSnapshot { Version = new(1, 2), Deployments = [Deployment("p1")] });
        table.Apply(new RouteSnapshot { Version = new(1, 3), Deployments = [Deployment("p2")] });

        Assert.Equal(["p1", "p2"], resolved.Select(route => route.Address.ProcessId));
    }
}
