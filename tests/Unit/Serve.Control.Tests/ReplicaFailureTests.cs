using Serve.Admin;
using Serve.Control.Observed;

namespace Serve.Control.Tests;

public sealed class ReplicaFailureTests
{
    [Theory]
    [InlineData(1, 20, 3)]
    [InlineData(3, 20, 9)]
    [InlineData(8, 20, 20)]
    [InlineData(2, 4, 4)]
    public void Decide_ConstructorThrows_RetriesUpToTheLimitThenFailsWithTheError(int replicas, int retries, int tries)
    {
        var simulation = new ControlPlaneSimulation();
        simulation.Broken.Add("v1");
        simulation.Deploy("app", "v1", replicas, spec => spec with { MaxConstructorRetryCount = retries }).Settle(600);
        Assert.Equal(ApplicationStatus.DeployFailed, simulation.Status("app").Status);
        Assert.Contains("v1 throws", simulation.Status("app").Message);
        Assert.InRange(simulation.History.OfType<ControlAction.StartReplica>().Count(), tries, tries + replicas - 1);
        Assert.Contains("v1 throws", Assert.Single(simulation.Observed.Routes.Newest.Deployments).Unavailable);
    }

    [Fact]
    public void Decide_ScaledUpDeploymentThatCannotStart_BacksOffAndLeavesRoomForItsNeighbor()
    {
        var simulation = new ControlPlaneSimulation().Node("n", cpus: 4)
            .Deploy("app", "v1", 1, OneCpu).Deploy("other", "v1", 1, OneCpu).Settle();
        simulation.Broken.Add("v1");
        simulation.Scale("app", 3);
        simulation.EndAll<ControlAction.StartReplica>();
        var started = simulation.History.OfType<ControlAction.StartReplica>().Count();
        Assert.Empty(simulation.InFlight.OfType<ControlAction.StartReplica>());
        Assert.Contains("v1 throws", simulation.Status("app").Deployments["app"].Message);

        // Between the attempts the neighbor receives the free CPUs.
        simulation.Broken.Clear();
        simulation.Scale("other", 3);
        simulation.EndAll<ControlAction.StartReplica>();
        Assert.Equal(started + 2, simulation.History.OfType<ControlAction.StartReplica>().Count());
        Assert.Equal((1, 3), (simulation.Replicas("app", ReplicaPhase.Running).Count, simulation.Replicas("other", ReplicaPhase.Running).Count));
    }

    [Fact]
    public void Decide_ConstructorThrows_DoublesTheBackoff()
    {
        var simulation = new ControlPlaneSimulation();
        simulation.Broken.Add("v1");
        simulation.Deploy("app", "v1");
        simulation.EndAll<ControlAction.StartReplica>();
        Assert.Equal(simulation.Now.AddSeconds(0.1), simulation.Plan.NextWakeUp);
        simulation.Advance(0.1).EndAll<ControlAction.StartReplica>();
        Assert.Equal(simulation.Now.AddSeconds(0.2), simulation.Plan.NextWakeUp);
        Assert.Contains("retrying soon", simulation.Status("app").Message);
    }

    [Fact]
    public void Decide_NodeProvidesNoProcess_BacksOffAndUsesUpNoConstructorTries()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1", 1, spec => spec with { MaxConstructorRetryCount = 1 });
        for (var failure = 0; failure < 20; failure++)
        {
            var start = simulation.InFlight.OfType<ControlAction.StartReplica>().Single();
            simulation.EndWith(start, new ControlObservation.ReplicaStartFailed(start.Replica, start.Generation, "no worker could be started", IsNodeFailure: true));
            Assert.Equal(ApplicationStatus.Deploying, simulation.Status("app").Status);
            Assert.Contains("no worker could be started", simulation.Status("app").Message);
            Assert.Equal(ReconciliationIntervals.RetryDelay(failure + 1), simulation.Plan.NextWakeUp - simulation.Now);
            simulation.Advance(11);
        }

        simulation.Settle();
        Assert.Equal(ApplicationStatus.Running, simulation.Status("app").Status);
    }

    [Fact]
    public void Decide_NewVersionFails_OldVersionKeepsItsTargetAfterADeath()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1", 2).Settle();
        simulation.Broken.Add("v2");
        simulation.Deploy("app", "v2", 2).Settle();
        Assert.Equal("v1:running v1:running | 2 routed", simulation.Picture("app"));
        Assert.Equal(ApplicationStatus.DeployFailed, simulation.Status("app").Status);
        Assert.Contains("the previous version keeps running", simulation.Status("app").Message);
        simulation.Kill(simulation.Replicas("app")[0].Id);
        Assert.Equal("v1:running v1:starting | 1 routed", simulation.Picture("app"));
        simulation.Settle();
        Assert.Equal("v1:running v1:running | 2 routed", simulation.Picture("app"));
    }

    [Fact]
    public void Decide_OldReplicaDiesBeforeTheNewVersionRan_IsReplacedByTheOldVersion()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1", 2).Settle();
        simulation.Deploy("app", "v2", 2).Kill(simulation.Replicas("app")[0].Id);
        Assert.Equal("v1:running v1:starting v2:starting | 1 routed", simulation.Picture("app"));
    }

    [Fact]
    public void Decide_RunningReplicaDies_IsReplacedImmediatelyWithItsRank()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1", 3).Settle().Advance(5);
        simulation.Kill(simulation.Replicas("app")[1].Id, "signal 9");
        var started = simulation.InFlight.OfType<ControlAction.StartReplica>().Single();
        Assert.Equal(1, started.Place.Rank);
        Assert.Contains("signal 9", started.Reason);
        Assert.Equal(ApplicationStatus.Unhealthy, simulation.Status("app").Status);
        Assert.Contains("2 of 3 replicas run", simulation.Status("app").Message);
    }

    [Fact]
    public void Decide_AllReplicasOfAWorkerDie_CountsAsOneCrash()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1", 3).Settle().Advance(5);
        foreach (var replica in simulation.Replicas("app"))
            simulation.Kill(replica.Id);
        Assert.Equal(3, simulation.Replicas("app", ReplicaPhase.Starting).Count);
    }

    [Fact]
    public void Decide_CrashesAfterEveryStart_BacksOffFromTheSecondTime()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1").Settle().Advance(60);
        List<double> waits = [];
        for (var crash = 0; crash < 5; crash++)
        {
            simulation.Kill(Assert.Single(simulation.Replicas("app", ReplicaPhase.Running)).Id);
            var died = simulation.Now;
            while (simulation.Replicas("app", ReplicaPhase.Starting).Count == 0)
                simulation.Advance((simulation.Plan.NextWakeUp!.Value - simulation.Now).TotalSeconds);
            waits.Add(Math.Round((simulation.Now - died).TotalSeconds, 3));
            simulation.EndAll<ControlAction.StartReplica>().Advance(0.5);
        }

        Assert.Equal([0, 0.1, 0.2, 0.4, 0.8], waits);
    }

    [Fact]
    public void Decide_DeathReportedBeforeTheStart_IsReplaced()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1");
        var start = simulation.InFlight.OfType<ControlAction.StartReplica>().Single();
        simulation.Kill(start.Replica).End(start);
        Assert.DoesNotContain(start.Replica.ToString(), simulation.Routed("app"));
        simulation.Settle();
        Assert.Single(simulation.Replicas("app", ReplicaPhase.Running));
    }

    [Fact]
    public void Decide_ThreeConsecutiveHealthChecksFail_IsReplacedWithoutWaitingForRoutes()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1").Settle();
        var sick = Assert.Single(simulation.Replicas("app")).Id;
        for (var failure = 0; failure < 3; failure++)
        {
            simulation.Advance(10);
            var check = simulation.InFlight.OfType<ControlAction.CheckReplicaHealth>().Single();
            Assert.Equal(TimeSpan.FromSeconds(30), check.Timeout);
            simulation.EndWith(check, new ControlObservation.ReplicaHealthChecked(sick, check.Generation, "no answer"));
        }

        Assert.Equal("v1:starting v1:stopping | 0 routed", simulation.Picture("app"));
        Assert.Contains("3 consecutive health checks failed", simulation.Status("app").Message);
    }

    [Fact]
    public void Decide_HealthCheckSucceedsInBetween_CountsFromZero()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1").Settle();
        foreach (var error in new[] { "no", "no", null, "no", "no" })
        {
            simulation.Advance(10);
            var check = simulation.InFlight.OfType<ControlAction.CheckReplicaHealth>().Single();
            simulation.EndWith(check, new ControlObservation.ReplicaHealthChecked(check.Replica, check.Generation, error));
        }

        Assert.Equal("v1:running | 1 routed", simulation.Picture("app"));
    }

    [Fact]
    public void Apply_ResultOfAnOlderGeneration_IsIgnored()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1");
        var start = simulation.InFlight.OfType<ControlAction.StartReplica>().Single();
        simulation.Observe(new ControlObservation.ReplicaStarted(start.Replica, start.Generation - 1, new(new("n1"), "p")));
        Assert.Equal("v1:starting | 0 routed", simulation.Picture("app"));
    }

    [Fact]
    public void Deploy_FailedRevisionAgain_IsRetried()
    {
        var simulation = new ControlPlaneSimulation();
        simulation.Broken.Add("v1");
        simulation.Deploy("app", "v1").Settle();
        simulation.Broken.Clear();
        simulation.Deploy("app", "v1").Settle();
        Assert.Equal(ApplicationStatus.Running, simulation.Status("app").Status);
    }

    private static Specs.DeploymentSpec OneCpu(Specs.DeploymentSpec spec) => spec with { Resources = new() { NumCpus = 1 } };
}
