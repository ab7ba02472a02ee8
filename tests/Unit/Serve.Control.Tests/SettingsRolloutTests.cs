using Serve.Admin;
using Serve.Control.Observed;

namespace Serve.Control.Tests;

public sealed class SettingsRolloutTests
{
    [Fact]
    public void Decide_ChangedUserConfig_ReachesOneReplicaAtATimeOutOfRotation()
    {
        var simulation = Running(3);
        List<ReplicaId> order = [];
        Configure(simulation, 1);
        while (simulation.Status("app").Status != ApplicationStatus.Running)
        {
            Assert.InRange(simulation.Routed("app").Count, 2, 3);
            if (Assert.Single(Updates(simulation).DefaultIfEmpty()) is not { } update)
            {
                simulation.EndAll<ControlAction.PublishRouteSnapshot>();
                continue;
            }

            Assert.DoesNotContain(update.Replica.ToString(), simulation.Routed("app"));
            order.Add(update.Replica);
            Assert.Contains($"{order.Count - 1} of 3 replicas have the new user_config", simulation.Status("app").Message);
            simulation.End(update);
        }

        Assert.Equal(3, order.Distinct().Count());
        simulation.Settle();
        Assert.Equal(3, simulation.Routed("app").Count);
        Assert.All(simulation.Replicas("app"), replica => Assert.Equal(1, (int)replica.Deployment.Spec.UserConfig!["value"]!));
    }

    [Fact]
    public void Decide_ChangedReplicaCount_RunningReplicasAreNotUpdatedAndAFailureDoesNotReplaceThem()
    {
        var simulation = Running(1);
        var replica = simulation.Replicas("app").Single();
        simulation.Scale("app", 3);
        foreach (var change in Updates(simulation))
        {
            var moved = simulation.Observed.Replicas[change.Replica.ToString()];
            Assert.Equal((false, replica.Reason, ReplicaPhase.Running), (moved.IsUpdating, moved.Reason, moved.Phase));
            Assert.Contains(change.Replica.ToString(), simulation.Routed("app"));
            simulation.EndWith(change, new ControlObservation.ReplicaReconfigureFailed(change.Replica, change.Generation, "did not answer", IsHung: true));
        }

        simulation.Settle();
        Assert.Equal(3, simulation.Replicas("app", ReplicaPhase.Running).Count);
        Assert.Equal((3, ReplicaPhase.Running), (simulation.Observed.Replicas[replica.Id.ToString()].Place.WorldSize, simulation.Observed.Replicas[replica.Id.ToString()].Phase));
    }

    [Fact]
    public void Decide_TenReplicas_AShareIsReconfiguredAtATime()
    {
        var simulation = Running(10);
        Configure(simulation, 1);
        Assert.Empty(Updates(simulation));
        simulation.EndAll<ControlAction.PublishRouteSnapshot>();
        Assert.Equal(2, Updates(simulation).Length);
        Assert.Equal(8, simulation.Routed("app").Count);
    }

    [Fact]
    public void Decide_OnlyReplica_StaysInRotation()
    {
        var simulation = Running(1);
        Configure(simulation, 1);
        Assert.Single(Updates(simulation));
        Assert.Single(simulation.Routed("app"));
    }

    [Fact]
    public void Decide_ReconfigureThrows_StopsAtTheFirstReplicaAndRestoresTheSettings()
    {
        var simulation = Running(10);
        Configure(simulation, 1);
        simulation.EndAll<ControlAction.PublishRouteSnapshot>();
        HashSet<ReplicaId> touched = [.. Updates(simulation).Select(update => update.Replica)];
        while (simulation.Status("app").Status != ApplicationStatus.DeployFailed)
        {
            foreach (var update in Updates(simulation))
            {
                Assert.Contains(update.Replica, touched);
                simulation.EndWith(update, new ControlObservation.ReplicaReconfigureFailed(update.Replica, update.Generation, "value is wrong"));
            }

            simulation.EndAll<ControlAction.PublishRouteSnapshot>().Advance(0.5);
        }

        Assert.Contains("failed to apply the new settings; last error: value is wrong", simulation.Status("app").Message);
        simulation.Settle();
        Assert.Equal(10, simulation.Routed("app").Count);
        Assert.All(simulation.Replicas("app"), replica => Assert.Null(replica.Deployment.Spec.UserConfig));
    }

    [Fact]
    public void Decide_ReconfigureHangs_RestoresTheSettingsAndReplacesTheReplica()
    {
        var simulation = Running(2);
        Configure(simulation, 1);
        simulation.EndAll<ControlAction.PublishRouteSnapshot>();
        var update = Assert.Single(Updates(simulation));
        simulation.EndWith(update, new ControlObservation.ReplicaReconfigureFailed(update.Replica, update.Generation, "did not apply its settings within 30 s", IsHung: true));

        Assert.Equal(ApplicationStatus.DeployFailed, simulation.Status("app").Status);
        Assert.Equal("v1:running v1:starting v1:stopping | 1 routed", simulation.Picture("app"));
        simulation.Settle();
        Assert.Equal("v1:running v1:running | 2 routed", simulation.Picture("app"));
        Assert.DoesNotContain(simulation.Replicas("app"), replica => replica.Id == update.Replica);
        Assert.All(simulation.Replicas("app"), replica => Assert.Null(replica.Deployment.Spec.UserConfig));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Decide_NewerConfigWhileOneHangs_ReplacesTheHungReplica(int replicas)
    {
        var simulation = Running(replicas);
        Configure(simulation, 1, replicas);
        simulation.EndAll<ControlAction.PublishRouteSnapshot>();
        var hung = Assert.Single(Updates(simulation));
        simulation.InFlight.Remove(hung);

        Configure(simulation, 2, replicas);
        Assert.DoesNotContain(hung.Replica.ToString(), simulation.Routed("app"));
        Assert.Single(simulation.Replicas("app", ReplicaPhase.Starting));
        simulation.Settle();

        Assert.Equal(ApplicationStatus.Running, simulation.Status("app").Status);
        Assert.Equal(replicas, simulation.Routed("app").Count);
        Assert.DoesNotContain(simulation.Replicas("app"), replica => replica.Id == hung.Replica);
        Assert.All(simulation.Replicas("app"), replica => Assert.Equal(2, (int)replica.Deployment.Spec.UserConfig!["value"]!));
    }

    [Fact]
    public void Decide_ScaledWhileReplicasWaitForTheirTurn_RanksDoNotCarryTheConfig()
    {
        var simulation = Running(3);
        Configure(simulation, 1);
        simulation.EndAll<ControlAction.PublishRouteSnapshot>();
        simulation.Scale("app", 4).EndAll<ControlAction.StartReplica>();
        Assert.All(Updates(simulation).Where(update => update.Place.WorldSize == 4), update => Assert.Null(update.Deployment.Spec.UserConfig));
        simulation.Settle();
        Assert.All(simulation.Replicas("app"), replica => Assert.Equal((4, 1), (replica.Place.WorldSize, (int)replica.Deployment.Spec.UserConfig!["value"]!)));
    }

    private static ControlPlaneSimulation Running(int replicas) => new ControlPlaneSimulation().Deploy("app", "v1", replicas).Settle();

    private static void Configure(ControlPlaneSimulation simulation, int value, int? replicas = null) =>
        simulation.Deploy("app", "v1", replicas ?? simulation.Replicas("app").Count, spec => spec with { UserConfig = new() { ["value"] = value } });

    private static ControlAction.ReconfigureReplica[] Updates(ControlPlaneSimulation simulation) => [.. simulation.InFlight.OfType<ControlAction.ReconfigureReplica>()];
}
