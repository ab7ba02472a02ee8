using Serve.Admin;
using Serve.Control.Observed;
using Serve.Specs;

namespace Serve.Control.Tests;

public sealed class MultiNodePlacementTests
{
    private static DeploymentSpec OneCpu(DeploymentSpec spec) => spec with { Resources = new() { NumCpus = 1 } };

    private static ControlPlaneSimulation ThreeNodes(double cpus = 4) => new ControlPlaneSimulation().Node("a", cpus).Node("b", cpus).Node("c", cpus);

    [Fact]
    public void Decide_NodeReturnsBeforeItsRoutesWereAcknowledged_ReceivesThemAgain()
    {
        var simulation = new ControlPlaneSimulation().Node("a", cpus: 4).Node("b", cpus: 4).Deploy("app", "v1", 2).Settle();
        simulation.Delete("app").Decide();
        foreach (var publish in simulation.InFlight.OfType<ControlAction.PublishRouteSnapshot>().ToList())
            simulation.EndWith(publish, new ControlObservation.RoutesAcknowledged(new("b"), publish.Snapshot.Version));
        simulation.Lose("a").Node("a", cpus: 4).Settle();
        Assert.DoesNotContain("app", simulation.Desired.Applications.Keys);
    }

    [Fact]
    public void Decide_ThreeNodes_SpreadsReplicas()
    {
        var simulation = ThreeNodes().Deploy("app", "v1", 6, OneCpu).Settle();
        Assert.Equal("a:2 b:2 c:2", simulation.NodesOf("app"));
        Assert.Equal(6, simulation.Routed("app").Count);
        Assert.All(simulation.Observed.Routes.Newest.Deployments[0].Replicas, route =>
            Assert.Equal(simulation.Observed.Replicas[route.ReplicaId].Node, route.Address.Node));
    }

    [Fact]
    public void Decide_OneNodeIsFull_PlacesOnTheOthers()
    {
        var simulation = new ControlPlaneSimulation().Node("a", cpus: 1).Node("b", cpus: 3).Deploy("app", "v1", 4, OneCpu).Settle();
        Assert.Equal("a:1 b:3", simulation.NodesOf("app"));
    }

    [Fact]
    public void Decide_SumOfFreeResourcesSufficesButNoNodeHasThem_Waits()
    {
        var simulation = new ControlPlaneSimulation().Node("a", cpus: 2).Node("b", cpus: 2).Deploy("small", "v1", 2, OneCpu).Settle();
        simulation.Deploy("large", "v1", 1, spec => spec with { Resources = new() { NumCpus = 2 } });
        Assert.Empty(simulation.Replicas("large"));
        Assert.Contains("waiting for resources: needs CPU 2, free 1", simulation.Status("large").Message);
        simulation.Scale("small", 1).Settle();
        Assert.Equal("v1:running | 1 routed", simulation.Picture("large"));
    }

    [Fact]
    public void Decide_NoNodeIsLargeEnough_FailsAndNamesTheLargest()
    {
        var simulation = new ControlPlaneSimulation().Node("a", cpus: 2).Node("b", cpus: 8)
            .Deploy("app", "v1", 1, spec => spec with { Resources = new() { NumCpus = 16 } });
        Assert.Equal(ApplicationStatus.DeployFailed, simulation.Status("app").Status);
        Assert.Contains("no node can host a replica: needs CPU 16, the largest node has", simulation.Status("app").Message);
    }

    [Fact]
    public void Decide_NodeJoinsThatIsLargeEnough_FailedDeploymentStarts()
    {
        var simulation = new ControlPlaneSimulation().Node("a", cpus: 2).Deploy("app", "v1", 1, spec => spec with { Resources = new() { NumGpus = 1 } });
        Assert.Equal(ApplicationStatus.DeployFailed, simulation.Status("app").Status);
        simulation.Node("b", gpus: 1).Settle();
        Assert.Equal("b:1", simulation.NodesOf("app"));
        Assert.Equal(ApplicationStatus.Running, simulation.Status("app").Status);
    }

    [Fact]
    public void Decide_NodeDisappears_ReplicasAreReplacedElsewhereWithoutDelay()
    {
        var simulation = ThreeNodes().Deploy("app", "v1", 3, OneCpu).Settle();
        simulation.Lose("b");
        Assert.Equal(2, simulation.Routed("app").Count);
        var start = Assert.Single(simulation.InFlight.OfType<ControlAction.StartReplica>());
        Assert.Contains("node b has left the cluster", start.Reason);
        simulation.Settle();
        Assert.Equal(3, simulation.Routed("app").Count);
        Assert.Equal([0, 1, 2], simulation.Replicas("app").Select(replica => replica.Rank));
        Assert.DoesNotContain("b", simulation.NodesOf("app"));
    }

    [Fact]
    public void Decide_SeveralReplicasPerNode_NodesAndTheirReplicasHaveRanks()
    {
        var simulation = ThreeNodes().Deploy("app", "v1", 6, OneCpu).Settle();
        Assert.Equal("0:0.0 1:1.0 2:2.0 3:0.1 4:1.1 5:2.1", Ranks(simulation));
    }

    [Fact]
    public void Decide_NodeAndReplicasDisappear_RanksOfNodesStayContiguousWithFewChanges()
    {
        var simulation = ThreeNodes(cpus: 6).Deploy("app", "v1", 6, OneCpu).Settle();
        simulation.Lose("a").Settle();
        Assert.Equal("a:0 b:3 c:3", "a:0 " + simulation.NodesOf("app"));

        // Node b keeps its rank; c, whose rank is no longer valid, has that of the lost node.
        Assert.Equal(["b:1", "c:0"], simulation.Replicas("app").Select(replica => $"{replica.Node}:{replica.Place.NodeRank}").Distinct().Order());
        AssertContiguous(simulation);

        simulation.Scale("app", 3).Settle();
        AssertContiguous(simulation);
    }

    private static string Ranks(ControlPlaneSimulation simulation) =>
        string.Join(" ", simulation.Replicas("app").Select(replica => $"{replica.Place.Rank}:{replica.Place.NodeRank}.{replica.Place.LocalRank}"));

    private static void AssertContiguous(ControlPlaneSimulation simulation)
    {
        var nodes = simulation.Replicas("app").GroupBy(replica => replica.Node).ToList();
        Assert.All(nodes, node => Assert.Single(node.Select(replica => replica.Place.NodeRank).Distinct()));
        Assert.Equal(Enumerable.Range(0, nodes.Count), nodes.Select(node => node.First().Place.NodeRank).Order());
        Assert.All(nodes, node => Assert.Equal(Enumerable.Range(0, node.Count()), node.Select(replica => replica.Place.LocalRank).Order()));
    }

    [Fact]
    public void Decide_NodeDisappearsWhileReplicasStartAndStop_NothingIsLeftBehind()
    {
        var simulation = ThreeNodes().Deploy("app", "v1", 6, OneCpu).Settle();
        simulation.Deploy("app", "v2", 6, OneCpu).EndAll<ControlAction.StartReplica>().EndAll<ControlAction.PublishRouteSnapshot>();
        simulation.Lose("a").Settle();
        Assert.Equal(6, simulation.Replicas("app").Count);
        Assert.All(simulation.Replicas("app"), replica => Assert.Equal("v2", simulation.Code(replica)));
    }

    [Fact]
    public void Decide_NodeJoins_ReceivesTheRoutesAndTheNextReplicas()
    {
        var simulation = new ControlPlaneSimulation().Node("a", cpus: 4).Deploy("app", "v1", 2, OneCpu).Settle();
        simulation.Node("b", cpus: 4);
        var publish = Assert.Single(simulation.InFlight.OfType<ControlAction.PublishRouteSnapshot>());
        Assert.Contains(new NodeId("b"), publish.Nodes);
        simulation.Settle().Scale("app", 4).Settle();
        Assert.Equal("a:2 b:2", simulation.NodesOf("app"));
    }

    [Fact]
    public void Decide_JoiningNode_GetsNoReplicasBeforeItIsReady()
    {
        var simulation = new ControlPlaneSimulation().Node("a", cpus: 1).Node("b", cpus: 4, phase: NodePhase.Joining).Deploy("app", "v1", 2, OneCpu).Settle(5);
        Assert.Equal("a:1", simulation.NodesOf("app"));
        simulation.SetPhase("b", NodePhase.Ready).Settle();
        Assert.Equal("a:1 b:1", simulation.NodesOf("app"));
    }

    [Fact]
    public void Decide_NodeDrains_ReplicasAreReplacedBeforeTheyStop()
    {
        var simulation = ThreeNodes().Deploy("app", "v1", 3, OneCpu).Settle();
        simulation.SetPhase("c", NodePhase.Draining);
        Assert.Equal(3, simulation.Routed("app").Count);
        Assert.Empty(simulation.InFlight.OfType<ControlAction.StopReplica>());
        while (simulation.InFlight.Count > 0)
        {
            simulation.End(simulation.InFlight[0]);
            Assert.True(simulation.Routed("app").Count >= 3);
        }

        Assert.DoesNotContain("c", simulation.NodesOf("app"));
        Assert.Equal(3, simulation.Replicas("app").Count);
    }

    [Fact]
    public void Decide_UnreachableNode_DoesNotBlockARolloutAndKeepsItsReplicas()
    {
        var simulation = ThreeNodes().Deploy("app", "v1", 3, OneCpu).Settle();
        simulation.SetPhase("c", NodePhase.Unreachable);
        Assert.Equal(3, simulation.Routed("app").Count);
        simulation.Deploy("other", "v1", 2, OneCpu).Settle();
        Assert.Equal("a:1 b:1", simulation.NodesOf("other"));
        simulation.Deploy("other", "v2", 2, OneCpu).Settle();
        Assert.Equal("v2:running v2:running | 2 routed", simulation.Picture("other"));
        simulation.SetPhase("c", NodePhase.Ready).Settle();
        Assert.Equal("a:1 b:1 c:1", simulation.NodesOf("app"));
    }

    [Fact]
    public void Decide_NoCapacityForTheSurgeOnAnyNode_OneOldReplicaIsStoppedFirst()
    {
        var simulation = new ControlPlaneSimulation().Node("a", cpus: 1).Node("b", cpus: 1).Deploy("app", "v1", 2, OneCpu).Settle();
        simulation.Deploy("app", "v2", 2, OneCpu).EndAll<ControlAction.PublishRouteSnapshot>();
        Assert.Equal("v1:running v1:stopping | 1 routed", simulation.Picture("app"));
        simulation.Settle();
        Assert.Equal("v2:running v2:running | 2 routed", simulation.Picture("app"));
        Assert.Equal("a:1 b:1", simulation.NodesOf("app"));
    }

    [Fact]
    public void Decide_NodeReportsThatItCanNeverHostAReplica_TriesTheOtherNodesThenFails()
    {
        var simulation = new ControlPlaneSimulation().Node("a", gpus: 2).Node("b", gpus: 2)
            .Deploy("app", "v1", 1, spec => spec with { Resources = new() { NumGpus = 1 } });
        Refuse("a");
        simulation.Advance(1);
        Refuse("b");
        simulation.Advance(1);
        Assert.Equal(ApplicationStatus.DeployFailed, simulation.Status("app").Status);
        Assert.Contains("no node can host a replica: no device is free", simulation.Status("app").Message);

        void Refuse(string node)
        {
            var start = Assert.Single(simulation.InFlight.OfType<ControlAction.StartReplica>());
            Assert.Equal(node, start.Node.Value);
            simulation.EndWith(start, new ControlObservation.ReplicaPlacementFailed(start.Replica, start.Generation, "no device is free", IsPermanent: true));
        }
    }

    [Fact]
    public void Decide_NewControllerOnTheSameCheckpoint_PublishesHigherVersions()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1").Settle();
        var before = simulation.Observed.Routes.Newest.Version;
        simulation.Restart().Settle();
        Assert.True(simulation.Observed.Routes.Newest.Version > before);
    }
}
