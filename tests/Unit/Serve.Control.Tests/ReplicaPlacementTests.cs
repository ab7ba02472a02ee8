using Serve.Admin;
using Serve.Specs;

namespace Serve.Control.Tests;

public sealed class ReplicaPlacementTests
{
    private static DeploymentSpec OneCpu(DeploymentSpec spec) => spec with { Resources = new() { NumCpus = 1 } };

    [Fact]
    public void Decide_NeverEnough_FailsAndSaysTheNumbers()
    {
        var world = new ControlPlaneSimulation().Node(cpus: 4).Deploy("app", "v1", 1, spec => spec with { Resources = new() { NumGpus = 1 } });
        Assert.Empty(world.InFlight.OfType<ControlAction.StartReplica>());
        Assert.Equal(ApplicationStatus.DeployFailed, world.Status("app").Status);
        Assert.Contains("needs GPU 1, the node has 0", world.Status("app").Message);
        Assert.Null(world.Plan.NextWakeUp);
    }

    [Fact]
    public void Decide_MomentarilyShort_WaitsSaysSoAndStartsWhenThereIsRoom()
    {
        var world = new ControlPlaneSimulation().Node(cpus: 2).Deploy("a", "v1", 2, OneCpu).Settle();
        world.Deploy("b", "v1", 1, OneCpu);
        Assert.Equal("| 0 routed", world.Picture("b").Trim());
        Assert.Equal(ApplicationStatus.Deploying, world.Status("b").Status);
        Assert.Contains("waits for room: needs CPU 1, free 0", world.Status("b").Message);
        world.Scale("a", 1).Settle();
        Assert.Equal("v1:running | 1 routed", world.Picture("b"));
    }

    [Fact]
    public void Decide_NoRoomForTheSurge_OneOldIsDrainedFirstAndOnlyOne()
    {
        var world = new ControlPlaneSimulation().Node(cpus: 2).Deploy("app", "v1", 2, OneCpu).Settle();
        world.Deploy("app", "v2", 2, OneCpu).EndAll<ControlAction.PublishRouteSnapshot>();
        Assert.Equal("v1:running v1:stopping | 1 routed", world.Picture("app"));
        world.EndAll<ControlAction.StopReplica>();
        Assert.Equal("v1:running v2:starting | 1 routed", world.Picture("app"));
        world.Settle();
        Assert.Equal("v2:running v2:running | 2 routed", world.Picture("app"));
    }

    [Fact]
    public void Decide_RoomForTheSurge_NoOldIsDrainedFirst()
    {
        var world = new ControlPlaneSimulation().Node(cpus: 3).Deploy("app", "v1", 2, OneCpu).Settle();
        world.Deploy("app", "v2", 2, OneCpu).EndAll<ControlAction.PublishRouteSnapshot>();
        Assert.Equal("v1:running v1:running v2:starting | 2 routed", world.Picture("app"));
    }

    [Fact]
    public void Decide_NoRoomForTheSurgeAndNewFails_OldComesBackToFullStrength()
    {
        var world = new ControlPlaneSimulation().Node(cpus: 2).Deploy("app", "v1", 2, OneCpu).Settle();
        world.Broken.Add("v2");
        world.Deploy("app", "v2", 2, OneCpu).Settle();
        Assert.Equal("v1:running v1:running | 2 routed", world.Picture("app"));
        Assert.Equal(ApplicationStatus.DeployFailed, world.Status("app").Status);
    }

    [Fact]
    public void Decide_NodeSaysShortThoughSumsFit_IsNotTriedHot()
    {
        var world = new ControlPlaneSimulation().Node(gpus: 2).Deploy("app", "v1", 1, spec => spec with { Resources = new() { NumGpus = 0.6 } });
        var start = world.InFlight.OfType<ControlAction.StartReplica>().Single();
        world.EndWith(start, new ControlObservation.ReplicaPlacementFailed(start.Replica, start.Generation, "no device has 0.6 free", false));
        Assert.Empty(world.InFlight.OfType<ControlAction.StartReplica>());
        Assert.Equal(world.Now.AddSeconds(1), world.Plan.NextWakeUp);
        Assert.Contains("no device has 0.6 free", world.Status("app").Message);
        world.Advance(1).Settle();
        Assert.Equal("v1:running | 1 routed", world.Picture("app"));
    }
}
