using Serve.Admin;
using Serve.Control.Observed;

namespace Serve.Control.Tests;

public sealed class ReconcilerRolloutTests
{
    [Fact]
    public void Decide_NewCode_ReplacesOneReplicaAtATimeNewFirst()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1", 2).Settle();
        simulation.Deploy("app", "v2", 2);
        Assert.Equal("v1:running v1:running v2:starting | 2 routed", simulation.Picture("app"));
        simulation.EndAll<ControlAction.StartReplica>();
        Assert.Equal("v1:running v1:running v2:running | 2 routed", simulation.Picture("app"));
        Assert.Empty(simulation.InFlight.OfType<ControlAction.StopReplica>());
        simulation.EndAll<ControlAction.PublishRouteSnapshot>();
        Assert.Equal("v1:running v1:stopping v2:running v2:starting | 2 routed", simulation.Picture("app"));
        Assert.Equal(ApplicationStatus.Deploying, simulation.Status("app").Status);
        Assert.Contains("1 of 2 replicas run the new version", simulation.Status("app").Message);
        simulation.Settle();
        Assert.Equal("v2:running v2:running | 2 routed", simulation.Picture("app"));
        Assert.Equal(ApplicationStatus.Running, simulation.Status("app").Status);
    }

    [Fact]
    public void Decide_TenReplicas_SurgeIsTwo()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1", 10).Settle();
        simulation.Deploy("app", "v2", 10);
        Assert.Equal(2, simulation.Replicas("app", ReplicaPhase.Starting).Count);
    }

    [Fact]
    public void Decide_ChangedSettings_ReconfiguresWithoutRestart()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1", 2).Settle();
        var before = simulation.Routed("app");
        simulation.Deploy("app", "v1", 2, spec => spec with { MaxOngoingRequests = 7 });
        Assert.Equal(2, simulation.InFlight.OfType<ControlAction.ReconfigureReplica>().Count());
        Assert.Equal(DeploymentStatus.Updating, simulation.Status("app").Deployments["app"].Status);
        simulation.Settle();
        Assert.Equal(before, simulation.Routed("app"));
        Assert.Equal(ApplicationStatus.Running, simulation.Status("app").Status);
    }

    [Fact]
    public void Decide_ReconfigureThrows_FailsWithTheErrorAndRestoresTheOldSettings()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1").Settle();
        simulation.Deploy("app", "v1", 1, spec => spec with { UserConfig = new() { ["bad"] = true } });
        for (var tries = 0; tries < 3; tries++)
        {
            var change = simulation.InFlight.OfType<ControlAction.ReconfigureReplica>().Single();
            simulation.EndWith(change, new ControlObservation.ReplicaReconfigureFailed(change.Replica, change.Generation, "threshold is missing"));
            simulation.Advance(11);
        }

        Assert.Equal(ApplicationStatus.DeployFailed, simulation.Status("app").Status);
        Assert.Contains("threshold is missing", simulation.Status("app").Message);
        Assert.Null(Assert.Single(simulation.Replicas("app", ReplicaPhase.Running)).Deployment.Spec.UserConfig);
    }

    [Fact]
    public void Decide_ScaleDown_RemovesTheYoungestFromTheRoutesFirstAndKeepsRanksContiguous()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1", 2).Settle().Advance(1);
        simulation.Scale("app", 4).Settle();
        simulation.Kill(simulation.Replicas("app")[0].Id).Settle();
        simulation.Scale("app", 2);
        Assert.Equal(2, simulation.Routed("app").Count);
        Assert.Empty(simulation.InFlight.OfType<ControlAction.StopReplica>());
        Assert.Equal(DeploymentStatus.Downscaling, simulation.Status("app").Deployments["app"].Status);
        simulation.Settle();
        Assert.Equal([0, 1], simulation.Replicas("app").Select(replica => replica.Rank));
        Assert.All(simulation.Replicas("app"), replica => Assert.Equal(2, replica.Place.WorldSize));
    }

    [Fact]
    public void Decide_ScaleToZero_RoutesContainTheReason()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1", 2).Settle();
        simulation.Scale("app", 0).Settle();
        Assert.Empty(simulation.Replicas("app"));
        Assert.Contains("scaled to 0", Assert.Single(simulation.Observed.Routes.Newest.Deployments).Unavailable);
        Assert.Equal(ApplicationStatus.Running, simulation.Status("app").Status);
    }

    [Fact]
    public void Decide_AutoscaledToZero_RoutesQueueRequestsAndTheFirstOneStartsAReplica()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1", 0, spec => spec with { Autoscaling = new() { MinReplicas = 0, MaxReplicas = 3 } }).Settle();
        var route = Assert.Single(simulation.Observed.Routes.Newest.Deployments);
        Assert.Null(route.Unavailable);
        Assert.True(route.WakesOnRequest);

        simulation.Observe(new ControlObservation.WakeUpRequested(route.Id));
        Assert.Equal("v1:starting | 0 routed", simulation.Picture("app"));
        simulation.EndAll<ControlAction.StartReplica>().EndAll<ControlAction.PublishRouteSnapshot>();
        Assert.Empty(simulation.Observed.WakeUps);
        Assert.Single(simulation.Routed("app"));
    }

    [Fact]
    public void Decide_Scale_IsNoNewRevision()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1", 2).Settle();
        simulation.Scale("app", 4);
        Assert.Equal(DeploymentStatus.Upscaling, simulation.Status("app").Deployments["app"].Status);
        simulation.Settle();
        var application = simulation.Desired.Applications["app"];
        Assert.Equal((1, 1, 2), (application.Requested.Number, application.LastGood!.Number, application.Requested.Deployments["app"].Spec.NumReplicas));
        Assert.Equal(DeploymentStatusTrigger.UpscaleCompleted, simulation.Status("app").Deployments["app"].Trigger);
        Assert.Equal(4, simulation.Routed("app").Count);
    }

    [Fact]
    public void Deploy_SameNumReplicasAfterAScale_KeepsTheTarget()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1", 2).Settle();
        simulation.Scale("app", 4).Settle().Deploy("app", "v2", 2).Settle();
        Assert.Equal(4, simulation.Routed("app").Count);
        simulation.Deploy("app", "v3", 3).Settle();
        Assert.Equal(3, simulation.Routed("app").Count);
    }

    [Fact]
    public void Decide_NewRevisionWithOtherNumReplicasFails_RollsBackToTheTargetBefore()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1", 2).Settle();
        simulation.Scale("app", 4).Settle().Broken.Add("v2");
        simulation.Deploy("app", "v2", 1).Settle();
        Assert.Equal("v1:running v1:running v1:running v1:running | 4 routed", simulation.Picture("app"));
    }

    [Fact]
    public void Decide_RemovedDeployment_StaysUntilTheNewRevisionRuns()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1", 1, null, "side").Settle();
        Assert.Equal(2, simulation.Routed("app").Count);
        simulation.Deploy("app", "v2");
        Assert.Single(simulation.Observed.ReplicasOf(new("app", "side")), replica => replica.Phase == ReplicaPhase.Running);
        simulation.Settle();
        Assert.Empty(simulation.Observed.ReplicasOf(new("app", "side")));
        Assert.Single(simulation.Observed.Routes.Newest.Deployments);
    }

    [Fact]
    public void Decide_Delete_RemovesRoutesThenReplicasThenTheApplication()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1", 2).Settle();
        simulation.Delete("app");
        Assert.Empty(simulation.Observed.Routes.Newest.Applications);
        Assert.Empty(simulation.InFlight.OfType<ControlAction.StopReplica>());
        Assert.Equal(ApplicationStatus.Deleting, simulation.Status("app").Status);
        simulation.EndAll<ControlAction.PublishRouteSnapshot>();
        Assert.Equal(2, simulation.InFlight.OfType<ControlAction.StopReplica>().Count());
        simulation.Settle();
        Assert.Empty(simulation.Desired.Applications);
    }

    [Fact]
    public void Decide_NewRoutePrefix_IsPublishedWhenItsRevisionRuns()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1").Settle();
        simulation.Deploy("app", "v2");
        Assert.Equal("/app", Assert.Single(simulation.Observed.Routes.Newest.Applications).RoutePrefix);
        simulation.Settle();
        Assert.Equal(2, simulation.Desired.Applications["app"].LastGood!.Number);
    }

    [Fact]
    public void Decide_RestartDuringARollout_StartsTheOldVersionAndThenTheNew()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1", 2).Settle();
        simulation.Deploy("app", "v2", 2).EndAll<ControlAction.StartReplica>().Restart();
        Assert.Equal("v1:starting v1:starting v2:starting | 0 routed", simulation.Picture("app"));
        simulation.Settle();
        Assert.Equal("v2:running v2:running | 2 routed", simulation.Picture("app"));
    }

    [Fact]
    public void Decide_RoutesNotAcknowledged_PublishesAgain()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1").EndAll<ControlAction.StartReplica>();
        var publish = simulation.InFlight.OfType<ControlAction.PublishRouteSnapshot>().MaxBy(action => action.Snapshot.Version)!;
        simulation.EndWith(publish, new ControlObservation.RoutesNotAcknowledged(publish.Nodes[0], publish.Snapshot.Version, "timeout")).Advance(1);
        var again = simulation.InFlight.OfType<ControlAction.PublishRouteSnapshot>().MaxBy(action => action.Snapshot.Version)!;
        Assert.Equal(publish.Snapshot.Version.Number + 1, again.Snapshot.Version.Number);
    }
}
