using Serve.Admin;

namespace Serve.Control.Tests;

public sealed class ReplicaFailureTests
{
    [Theory]
    [InlineData(1, 20, 3)]
    [InlineData(3, 20, 9)]
    [InlineData(8, 20, 20)]
    [InlineData(2, 4, 4)]
    public void Decide_ConstructorThrows_IsTriedSoOftenThenFailsWithItsText(int replicas, int retries, int tries)
    {
        var world = new ControlPlaneSimulation();
        world.Broken.Add("v1");
        world.Deploy("app", "v1", replicas, spec => spec with { MaxConstructorRetryCount = retries }).Settle(600);
        Assert.Equal(ApplicationStatus.DeployFailed, world.Status("app").Status);
        Assert.Contains("v1 throws", world.Status("app").Message);
        Assert.InRange(world.History.OfType<ControlAction.StartReplica>().Count(), tries, tries + replicas - 1);
        Assert.Contains("v1 throws", Assert.Single(world.Observed.Routes.Newest.Deployments).Unavailable);
    }

    [Fact]
    public void Decide_ConstructorThrows_BacksOffDoubling()
    {
        var world = new ControlPlaneSimulation();
        world.Broken.Add("v1");
        world.Deploy("app", "v1");
        world.EndAll<ControlAction.StartReplica>();
        Assert.Equal(world.Now.AddSeconds(0.1), world.Plan.NextWakeUp);
        world.Advance(0.1).EndAll<ControlAction.StartReplica>();
        Assert.Equal(world.Now.AddSeconds(0.2), world.Plan.NextWakeUp);
        Assert.Contains("tries again soon", world.Status("app").Message);
    }

    [Fact]
    public void Decide_NewVersionFails_OldStaysAtFullStrengthAlsoWhenItDies()
    {
        var world = new ControlPlaneSimulation().Deploy("app", "v1", 2).Settle();
        world.Broken.Add("v2");
        world.Deploy("app", "v2", 2).Settle();
        Assert.Equal("v1:running v1:running | 2 routed", world.Picture("app"));
        Assert.Equal(ApplicationStatus.DeployFailed, world.Status("app").Status);
        Assert.Contains("the version that ran before keeps running", world.Status("app").Message);
        world.Kill(world.Replicas("app")[0].Id);
        Assert.Equal("v1:running v1:starting | 1 routed", world.Picture("app"));
        world.Settle();
        Assert.Equal("v1:running v1:running | 2 routed", world.Picture("app"));
    }

    [Fact]
    public void Decide_OldDiesWhileNewIsUnproven_OldIsReplacedByOld()
    {
        var world = new ControlPlaneSimulation().Deploy("app", "v1", 2).Settle();
        world.Deploy("app", "v2", 2).Kill(world.Replicas("app")[0].Id);
        Assert.Equal("v1:running v1:starting v2:starting | 1 routed", world.Picture("app"));
    }

    [Fact]
    public void Decide_RunningReplicaDies_IsReplacedAtOnceWithItsRank()
    {
        var world = new ControlPlaneSimulation().Deploy("app", "v1", 3).Settle().Advance(5);
        world.Kill(world.Replicas("app")[1].Id, "signal 9");
        var started = world.InFlight.OfType<ControlAction.StartReplica>().Single();
        Assert.Equal(1, started.Rank);
        Assert.Contains("signal 9", started.Reason);
        Assert.Equal(ApplicationStatus.Unhealthy, world.Status("app").Status);
        Assert.Contains("2 of 3 replicas run", world.Status("app").Message);
    }

    [Fact]
    public void Decide_WholeWorkerDies_CountsAsOneCrash()
    {
        var world = new ControlPlaneSimulation().Deploy("app", "v1", 3).Settle().Advance(5);
        foreach (var replica in world.Replicas("app"))
            world.Kill(replica.Id);
        Assert.Equal(3, world.Replicas("app", ReplicaPhase.Starting).Count);
    }

    [Fact]
    public void Decide_CrashesSoonAfterEveryStart_BacksOffButNotTheFirstTime()
    {
        var world = new ControlPlaneSimulation().Deploy("app", "v1").Settle().Advance(60);
        List<double> waits = [];
        for (var crash = 0; crash < 5; crash++)
        {
            world.Kill(Assert.Single(world.Replicas("app", ReplicaPhase.Running)).Id);
            var died = world.Now;
            while (world.Replicas("app", ReplicaPhase.Starting).Count == 0)
                world.Advance((world.Plan.NextWakeUp!.Value - world.Now).TotalSeconds);
            waits.Add(Math.Round((world.Now - died).TotalSeconds, 3));
            world.EndAll<ControlAction.StartReplica>().Advance(0.5);
        }

        Assert.Equal([0, 0.1, 0.2, 0.4, 0.8], waits);
    }

    [Fact]
    public void Decide_DiesBeforeItsStartWasHeardOf_IsReplaced()
    {
        var world = new ControlPlaneSimulation().Deploy("app", "v1");
        var start = world.InFlight.OfType<ControlAction.StartReplica>().Single();
        world.Kill(start.Replica).End(start);
        Assert.DoesNotContain(start.Replica.ToString(), world.Routed("app"));
        world.Settle();
        Assert.Single(world.Replicas("app", ReplicaPhase.Running));
    }

    [Fact]
    public void Decide_ThreeHealthChecksFailInARow_IsReplacedWithoutWaitingForRoutes()
    {
        var world = new ControlPlaneSimulation().Deploy("app", "v1").Settle();
        var sick = Assert.Single(world.Replicas("app")).Id;
        for (var failure = 0; failure < 3; failure++)
        {
            world.Advance(10);
            var check = world.InFlight.OfType<ControlAction.CheckReplicaHealth>().Single();
            Assert.Equal(TimeSpan.FromSeconds(30), check.Timeout);
            world.EndWith(check, new ControlObservation.ReplicaHealthChecked(sick, check.Generation, "no answer"));
        }

        Assert.Equal("v1:starting v1:stopping | 0 routed", world.Picture("app"));
        Assert.Contains("3 health checks failed in a row", world.Status("app").Message);
    }

    [Fact]
    public void Decide_HealthCheckSucceedsBetween_CountsFromZero()
    {
        var world = new ControlPlaneSimulation().Deploy("app", "v1").Settle();
        foreach (var error in new[] { "no", "no", null, "no", "no" })
        {
            world.Advance(10);
            var check = world.InFlight.OfType<ControlAction.CheckReplicaHealth>().Single();
            world.EndWith(check, new ControlObservation.ReplicaHealthChecked(check.Replica, check.Generation, error));
        }

        Assert.Equal("v1:running | 1 routed", world.Picture("app"));
    }

    [Fact]
    public void After_OutcomeOfAnOlderGeneration_IsRefused()
    {
        var world = new ControlPlaneSimulation().Deploy("app", "v1");
        var start = world.InFlight.OfType<ControlAction.StartReplica>().Single();
        world.Learn(new ControlObservation.ReplicaStarted(start.Replica, start.Generation - 1, new(new("n1"), "p")));
        Assert.Equal("v1:starting | 0 routed", world.Picture("app"));
    }

    [Fact]
    public void Deploy_FailedRevisionAgain_IsTriedAgain()
    {
        var world = new ControlPlaneSimulation();
        world.Broken.Add("v1");
        world.Deploy("app", "v1").Settle();
        world.Broken.Clear();
        world.Deploy("app", "v1").Settle();
        Assert.Equal(ApplicationStatus.Running, world.Status("app").Status);
    }
}
