using Serve.Admin;
using Serve.Control.Observed;
using Serve.Specs;

namespace Serve.Control.Tests;

public sealed class ReplicaPlacementTests
{
    private static DeploymentSpec OneCpu(DeploymentSpec spec) => spec with { Resources = new() { NumCpus = 1 } };

    [Fact]
    public void Decide_NodeTooSmall_FailsWithTheAmounts()
    {
        var simulation = new ControlPlaneSimulation().Node(cpus: 4).Deploy("app", "v1", 1, spec => spec with { Resources = new() { NumGpus = 1 } });
        Assert.Empty(simulation.InFlight.OfType<ControlAction.StartReplica>());
        Assert.Equal(ApplicationStatus.DeployFailed, simulation.Status("app").Status);
        Assert.Contains("no node can host a replica: needs GPU 1, the largest node has 0", simulation.Status("app").Message);
        Assert.Null(simulation.Plan.NextWakeUp);
    }

    [Fact]
    public void Decide_ResourcesInUse_WaitsAndStartsWhenTheyAreReleased()
    {
        var simulation = new ControlPlaneSimulation().Node(cpus: 2).Deploy("a", "v1", 2, OneCpu).Settle();
        simulation.Deploy("b", "v1", 1, OneCpu);
        Assert.Equal("| 0 routed", simulation.Picture("b").Trim());
        Assert.Equal(ApplicationStatus.Deploying, simulation.Status("b").Status);
        Assert.Contains("waiting for resources: needs CPU 1, free 0", simulation.Status("b").Message);
        simulation.Scale("a", 1).Settle();
        Assert.Equal("v1:running | 1 routed", simulation.Picture("b"));
    }

    [Fact]
    public void Decide_NoResourcesForTheSurge_OneOldReplicaIsDrainedFirst()
    {
        var simulation = new ControlPlaneSimulation().Node(cpus: 2).Deploy("app", "v1", 2, OneCpu).Settle();
        simulation.Deploy("app", "v2", 2, OneCpu).EndAll<ControlAction.PublishRouteSnapshot>();
        Assert.Equal("v1:running v1:stopping | 1 routed", simulation.Picture("app"));
        simulation.EndAll<ControlAction.StopReplica>();
        Assert.Equal("v1:running v2:starting | 1 routed", simulation.Picture("app"));
        simulation.Settle();
        Assert.Equal("v2:running v2:running | 2 routed", simulation.Picture("app"));
    }

    [Fact]
    public void Decide_ResourcesForTheSurge_NoOldReplicaIsDrainedFirst()
    {
        var simulation = new ControlPlaneSimulation().Node(cpus: 3).Deploy("app", "v1", 2, OneCpu).Settle();
        simulation.Deploy("app", "v2", 2, OneCpu).EndAll<ControlAction.PublishRouteSnapshot>();
        Assert.Equal("v1:running v1:running v2:starting | 2 routed", simulation.Picture("app"));
    }

    [Fact]
    public void Decide_NoResourcesForTheSurgeAndNewVersionFails_OldVersionReturnsToItsTarget()
    {
        var simulation = new ControlPlaneSimulation().Node(cpus: 2).Deploy("app", "v1", 2, OneCpu).Settle();
        simulation.Broken.Add("v2");
        simulation.Deploy("app", "v2", 2, OneCpu).Settle();
        Assert.Equal("v1:running v1:running | 2 routed", simulation.Picture("app"));
        Assert.Equal(ApplicationStatus.DeployFailed, simulation.Status("app").Status);
    }

    [Fact]
    public void Decide_NodeRefusesAlthoughSumsFit_RetriesWithADelay()
    {
        var simulation = new ControlPlaneSimulation().Node(gpus: 2).Deploy("app", "v1", 1, spec => spec with { Resources = new() { NumGpus = 0.6 } });
        var start = simulation.InFlight.OfType<ControlAction.StartReplica>().Single();
        simulation.EndWith(start, new ControlObservation.ReplicaPlacementFailed(start.Replica, start.Generation, "no device has 0.6 free", false));
        Assert.Empty(simulation.InFlight.OfType<ControlAction.StartReplica>());
        Assert.Equal(simulation.Now.AddSeconds(1), simulation.Plan.NextWakeUp);
        Assert.Contains("no device has 0.6 free", simulation.Status("app").Message);
        simulation.Advance(1).Settle();
        Assert.Equal("v1:running | 1 routed", simulation.Picture("app"));
    }
}
