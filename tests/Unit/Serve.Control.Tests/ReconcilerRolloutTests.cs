using Serve.Admin;

namespace Serve.Control.Tests;

public sealed class ReconcilerRolloutTests
{
    [Fact]
    public void Decide_NewCode_OneAtATimeNewFirst()
    {
        var world = new ControlPlaneSimulation().Deploy("app", "v1", 2).Settle();
        world.Deploy("app", "v2", 2);
        Assert.Equal("v1:running v1:running v2:starting | 2 routed", world.Picture("app"));
        world.EndAll<ControlAction.StartReplica>();
        Assert.Equal("v1:running v1:running v2:running | 2 routed", world.Picture("app"));
        Assert.Empty(world.InFlight.OfType<ControlAction.StopReplica>());
        world.EndAll<ControlAction.PublishRouteSnapshot>();
        Assert.Equal("v1:running v1:stopping v2:running v2:starting | 2 routed", world.Picture("app"));
        Assert.Equal(ApplicationStatus.Deploying, world.Status("app").Status);
        Assert.Contains("1 of 2 replicas run the new version", world.Status("app").Message);
        world.Settle();
        Assert.Equal("v2:running v2:running | 2 routed", world.Picture("app"));
        Assert.Equal(ApplicationStatus.Running, world.Status("app").Status);
    }

    [Fact]
    public void Decide_TenReplicas_SurgeIsTwo()
    {
        var world = new ControlPlaneSimulation().Deploy("app", "v1", 10).Settle();
        world.Deploy("app", "v2", 10);
        Assert.Equal(2, world.Replicas("app", ReplicaPhase.Starting).Count);
    }

    [Fact]
    public void Decide_ChangedSettings_AreToldWithoutRestart()
    {
        var world = new ControlPlaneSimulation().Deploy("app", "v1", 2).Settle();
        var before = world.Routed("app");
        world.Deploy("app", "v1", 2, spec => spec with { UserConfig = new() { ["threshold"] = 3 } });
        Assert.Equal(2, world.InFlight.OfType<ControlAction.ReconfigureReplica>().Count());
        Assert.Equal(DeploymentStatus.Updating, world.Status("app").Deployments["app"].Status);
        world.Settle();
        Assert.Equal(before, world.Routed("app"));
        Assert.Equal(ApplicationStatus.Running, world.Status("app").Status);
    }

    [Fact]
    public void Decide_ReconfigureThrows_FailsWithItsTextAndGoesBackToTheOldSettings()
    {
        var world = new ControlPlaneSimulation().Deploy("app", "v1").Settle();
        world.Deploy("app", "v1", 1, spec => spec with { UserConfig = new() { ["bad"] = true } });
        for (var tries = 0; tries < 3; tries++)
        {
            var change = world.InFlight.OfType<ControlAction.ReconfigureReplica>().Single();
            world.EndWith(change, new ControlObservation.ReplicaReconfigureFailed(change.Replica, change.Generation, "threshold is missing"));
            world.Advance(11);
        }

        Assert.Equal(ApplicationStatus.DeployFailed, world.Status("app").Status);
        Assert.Contains("threshold is missing", world.Status("app").Message);
        Assert.Null(Assert.Single(world.Replicas("app", ReplicaPhase.Running)).Deployment.Spec.UserConfig);
    }

    [Fact]
    public void Decide_ScaleDown_YoungestLeaveRoutesFirstAndRanksStayContiguous()
    {
        var world = new ControlPlaneSimulation().Deploy("app", "v1", 2).Settle().Advance(1);
        world.Scale("app", 4).Settle();
        world.Kill(world.Replicas("app")[0].Id).Settle();
        world.Scale("app", 2);
        Assert.Equal(2, world.Routed("app").Count);
        Assert.Empty(world.InFlight.OfType<ControlAction.StopReplica>());
        Assert.Equal(DeploymentStatus.Downscaling, world.Status("app").Deployments["app"].Status);
        world.Settle();
        Assert.Equal([0, 1], world.Replicas("app").Select(replica => replica.Rank));
        Assert.All(world.Replicas("app"), replica => Assert.Equal(2, replica.WorldSize));
    }

    [Fact]
    public void Decide_ScaleToZero_RoutesSayWhy()
    {
        var world = new ControlPlaneSimulation().Deploy("app", "v1", 2).Settle();
        world.Scale("app", 0).Settle();
        Assert.Empty(world.Replicas("app"));
        Assert.Contains("scaled to 0", Assert.Single(world.Observed.Routes.Newest.Deployments).Unavailable);
        Assert.Equal(ApplicationStatus.Running, world.Status("app").Status);
    }

    [Fact]
    public void Decide_DroppedDeployment_StaysUntilTheNewRevisionIsUp()
    {
        var world = new ControlPlaneSimulation().Deploy("app", "v1", 1, null, "side").Settle();
        Assert.Equal(2, world.Routed("app").Count);
        world.Deploy("app", "v2");
        Assert.Single(world.Observed.ReplicasOf(new("app", "side")), replica => replica.Phase == ReplicaPhase.Running);
        world.Settle();
        Assert.Empty(world.Observed.ReplicasOf(new("app", "side")));
        Assert.Single(world.Observed.Routes.Newest.Deployments);
    }

    [Fact]
    public void Decide_Delete_RoutesGoFirstThenReplicasThenTheApplication()
    {
        var world = new ControlPlaneSimulation().Deploy("app", "v1", 2).Settle();
        world.Delete("app");
        Assert.Empty(world.Observed.Routes.Newest.Applications);
        Assert.Empty(world.InFlight.OfType<ControlAction.StopReplica>());
        Assert.Equal(ApplicationStatus.Deleting, world.Status("app").Status);
        world.EndAll<ControlAction.PublishRouteSnapshot>();
        Assert.Equal(2, world.InFlight.OfType<ControlAction.StopReplica>().Count());
        world.Settle();
        Assert.Empty(world.Desired.Applications);
    }

    [Fact]
    public void Decide_NewRoutePrefix_IsPublishedOnceItsRevisionIsUp()
    {
        var world = new ControlPlaneSimulation().Deploy("app", "v1").Settle();
        world.Deploy("app", "v2");
        Assert.Equal("/app", Assert.Single(world.Observed.Routes.Newest.Applications).RoutePrefix);
        world.Settle();
        Assert.Equal(2, world.Desired.Applications["app"].LastGood!.Number);
    }

    [Fact]
    public void Decide_RestartInTheMiddleOfARollout_BringsUpTheOldAndThenTheNew()
    {
        var world = new ControlPlaneSimulation().Deploy("app", "v1", 2).Settle();
        world.Deploy("app", "v2", 2).EndAll<ControlAction.StartReplica>().Restart();
        Assert.Equal("v1:starting v1:starting v2:starting | 0 routed", world.Picture("app"));
        world.Settle();
        Assert.Equal("v2:running v2:running | 2 routed", world.Picture("app"));
    }

    [Fact]
    public void Decide_RoutesNotAcknowledged_ArePublishedAgain()
    {
        var world = new ControlPlaneSimulation().Deploy("app", "v1").EndAll<ControlAction.StartReplica>();
        var publish = world.InFlight.OfType<ControlAction.PublishRouteSnapshot>().MaxBy(action => action.Snapshot.Version)!;
        world.EndWith(publish, new ControlObservation.RoutesNotAcknowledged(publish.Snapshot.Version, "timeout")).Advance(1);
        var again = world.InFlight.OfType<ControlAction.PublishRouteSnapshot>().MaxBy(action => action.Snapshot.Version)!;
        Assert.Equal(publish.Snapshot.Version.Number + 1, again.Snapshot.Version.Number);
    }
}
