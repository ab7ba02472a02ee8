using CsCheck;
using Serve.Admin;
using Serve.Control.Autoscaling;
using Serve.Control.Observed;
using Serve.Specs;

namespace Serve.Control.Tests;

public sealed class GangTests
{
    private static Func<DeploymentSpec, DeploymentSpec> Gangs(int size, GangPlacementStrategy strategy = GangPlacementStrategy.Pack) =>
        spec => spec with { Resources = new() { NumCpus = 1 }, Gang = new() { GangSize = size, GangPlacementStrategy = strategy } };

    [Fact]
    public void Decide_TwoGangs_MembersKnowEachOther()
    {
        var simulation = new ControlPlaneSimulation().Node("a", cpus: 6).Deploy("app", "v1", 6, Gangs(3)).Settle();
        var gangs = simulation.Replicas("app").GroupBy(replica => replica.Gang!.Id).ToList();
        Assert.Equal(2, gangs.Count);
        Assert.All(gangs, gang =>
        {
            Assert.Equal([0, 1, 2], gang.Select(replica => replica.Gang!.Rank).Order());
            Assert.All(gang, replica => Assert.Equal(gang.OrderBy(member => member.Gang!.Rank).Select(member => member.Id.ToString()), replica.Gang!.Members));
        });
        Assert.Equal([0, 1, 2, 3, 4, 5], simulation.Replicas("app").Select(replica => replica.Rank));
    }

    [Theory]
    [InlineData(GangPlacementStrategy.Pack, "b:3")]
    [InlineData(GangPlacementStrategy.Spread, "a:1 b:1 c:1")]
    public void Decide_Strategy_PacksOrSpreads(GangPlacementStrategy strategy, string expected)
    {
        var simulation = new ControlPlaneSimulation().Node("a", cpus: 2).Node("b", cpus: 3).Node("c", cpus: 1).Deploy("app", "v1", 3, Gangs(3, strategy)).Settle();
        Assert.Equal(expected, simulation.NodesOf("app"));
    }

    [Fact]
    public void Decide_ResourcesForPartOfAGang_StartsNoneAndSaysWhy()
    {
        var simulation = new ControlPlaneSimulation().Node("a", cpus: 2).Node("b", cpus: 2).Deploy("app", "v1", 6, Gangs(3));
        Assert.Equal(3, simulation.Replicas("app").Count);
        Assert.Contains("a gang of 3 replicas is placed as a whole; waiting for resources: needs CPU 1, free 0", simulation.Status("app").Message);
        simulation.Node("c", cpus: 2).Settle();
        Assert.Equal(6, simulation.Routed("app").Count);
    }

    [Fact]
    public void Decide_OneReplicaDies_ItsGangIsRestartedAndTheOtherIsNot()
    {
        var simulation = new ControlPlaneSimulation().Node("a", cpus: 9).Deploy("app", "v1", 6, Gangs(3)).Settle();
        var (first, second) = (simulation.Replicas("app")[0], simulation.Replicas("app")[5]);
        Assert.NotEqual(first.Gang!.Id, second.Gang!.Id);
        simulation.Kill(first.Id);
        Assert.Equal(second.Gang.Members.Order(), simulation.Routed("app").Order());
        simulation.Settle();
        var replicas = simulation.Replicas("app");
        Assert.Equal(6, replicas.Count);
        Assert.DoesNotContain(replicas, replica => first.Gang.Members.Contains(replica.Id.ToString()));
        Assert.Equal(3, replicas.Count(replica => second.Gang.Members.Contains(replica.Id.ToString())));
        Assert.Contains(simulation.History.OfType<ControlAction.StopReplica>(), stop => stop.Reason == "another replica of its gang has stopped");
        Assert.All(replicas.GroupBy(replica => replica.Gang!.Id), gang => Assert.Equal(3, gang.Count()));
    }

    [Fact]
    public void Decide_OneReplicaNeverStarts_FailsTheDeployment()
    {
        var simulation = new ControlPlaneSimulation().Node("a", cpus: 2).Deploy("app", "v1", 2, Gangs(2));
        for (var attempt = 0; attempt < 12 && simulation.Status("app").Status != ApplicationStatus.DeployFailed; attempt++)
        {
            foreach (var start in simulation.InFlight.OfType<ControlAction.StartReplica>().OrderBy(start => start.Gang!.Rank).ToList())
            {
                if (start.Gang!.Rank == 0)
                    simulation.End(start);
                else
                    simulation.EndWith(start, new ControlObservation.ReplicaStartFailed(start.Replica, start.Generation, "rank 1 throws"));
            }

            Assert.Empty(simulation.Routed("app"));
            simulation.EndAll<ControlAction.StopReplica>().Advance(120);
        }

        Assert.Equal(ApplicationStatus.DeployFailed, simulation.Status("app").Status);
        Assert.Contains("rank 1 throws", simulation.Status("app").Message);
    }

    [Fact]
    public void Decide_NewVersionWithoutRoomForBoth_ReplacesGangByGang()
    {
        var simulation = new ControlPlaneSimulation().Node("a", cpus: 4).Deploy("app", "v1", 4, Gangs(2)).Settle();
        simulation.Deploy("app", "v2", 4, Gangs(2));
        while (simulation.InFlight.Count > 0)
        {
            simulation.End(simulation.InFlight[0]);
            Assert.True(simulation.Routed("app").Count >= 2, simulation.Picture("app"));
            Assert.All(RoutedGangs(simulation), gang => Assert.Equal(2, gang));
        }

        Assert.Equal("v2:running v2:running v2:running v2:running | 4 routed", simulation.Picture("app"));
    }

    [Fact]
    public void Decide_ScaledDown_StopsAWholeGang()
    {
        var simulation = new ControlPlaneSimulation().Node("a", cpus: 9).Deploy("app", "v1", 9, Gangs(3)).Settle();
        simulation.Scale("app", 6).Settle();
        Assert.Equal([3, 3], simulation.Replicas("app").CountBy(replica => replica.Gang!.Id).Select(gang => gang.Value));
    }

    [Fact]
    public void Decide_FollowsTheLoad_InWholeGangs()
    {
        var simulation = new ControlPlaneSimulation().Node("a", cpus: 20).Deploy("app", "v1", 0, spec => Gangs(4)(spec) with
        {
            Autoscaling = new() { MinReplicas = 0, MaxReplicas = 12, UpscaleDelayS = 0, DownscaleDelayS = 5, LookBackPeriodS = 1, TargetOngoingRequests = 1 },
        });
        simulation.Observe(new ControlObservation.WakeUpRequested(new("app", "app"))).Settle(1);
        Assert.Equal(4, simulation.Routed("app").Count);
        Load(5);
        Assert.Equal(8, simulation.Routed("app").Count);
        Load(30);
        Assert.Equal(12, simulation.Routed("app").Count);
        Load(1);
        Assert.Equal(4, simulation.Routed("app").Count);
        Load(0);
        Assert.Empty(simulation.Replicas("app"));

        void Load(int requests)
        {
            simulation.Observe(new ControlObservation.LoadReported(new("a"), System.Collections.Immutable.ImmutableDictionary<DeploymentId, DeploymentLoad>.Empty
                .SetItem(new("app", "app"), DeploymentLoad.None with { Queued = requests })));
            for (var round = 0; round < 10; round++)
                simulation.Advance(2).Settle(1);
        }
    }

    [Fact]
    public void Decide_ArbitraryEvents_RoutesOnlyWholeGangsAndSettles() => Gen.Select(Gen.Int[0, 9], Gen.Int[0, 1000]).Array[0, 80].Sample(
        steps =>
        {
            var simulation = new ControlPlaneSimulation().Node("a", cpus: 5).Node("b", cpus: 4);
            foreach (var (kind, choice) in steps)
            {
                switch (kind)
                {
                    case 0:
                        simulation.Deploy("app", $"v{choice % 3}", 2 * (1 + choice % 3), Gangs(2, (GangPlacementStrategy)(choice % 2)));
                        break;
                    case 1 when simulation.Desired.Applications.ContainsKey("app"):
                        simulation.Scale("app", 2 * (choice % 4));
                        break;
                    case 2 when simulation.Replicas("app") is { Count: > 0 } replicas:
                        simulation.Kill(replicas[choice % replicas.Count].Id);
                        break;
                    case 3:
                        if (!simulation.Broken.Remove("v1"))
                            simulation.Broken.Add("v1");
                        break;
                    case 4 when choice % 5 == 0:
                        simulation.Lose("b").Node("b", cpus: 4);
                        break;
                    case 5:
                        simulation.Advance(choice % 20);
                        break;
                    default:
                        if (simulation.InFlight.Count > 0)
                            simulation.End(simulation.InFlight[choice % simulation.InFlight.Count]);
                        break;
                }

                Assert.All(RoutedGangs(simulation), gang => Assert.Equal(2, gang));
            }

            simulation.Broken.Clear();
            simulation.Deploy("app", "final", 4, Gangs(2)).Scale("app", 4).Settle(600);
            Assert.Equal(4, simulation.Routed("app").Count);
            Assert.Equal([2, 2], simulation.Replicas("app").CountBy(replica => replica.Gang!.Id).Select(gang => gang.Value));
        },
        iter: 300);

    private static IEnumerable<int> RoutedGangs(ControlPlaneSimulation simulation) => simulation.Routed("app")
        .Select(id => simulation.Observed.Replicas.GetValueOrDefault(id)).OfType<ObservedReplica>().Where(replica => replica.Phase == ReplicaPhase.Running)
        .CountBy(replica => replica.Gang!.Id).Select(gang => gang.Value);
}
