using CsCheck;
using Serve.Control.Autoscaling;
using Serve.Control.Observed;

namespace Serve.Control.Tests;

public sealed class ReconcilerPropertyTests
{
    private static readonly Gen<(int Kind, int Choice)[]> Steps = Gen.Select(Gen.Int[0, 18], Gen.Int[0, 1000]).Array[0, 120];

    [Fact]
    public void Decide_ArbitraryEvents_KeepsTheRulesAndSettlesAfterTheFaults() => Steps.Sample(
        steps =>
        {
            var simulation = new ControlPlaneSimulation().Node("a", cpus: 4).Node("b", cpus: 3);
            foreach (var (kind, choice) in steps)
                Step(simulation, kind, choice);

            foreach (var node in new[] { "a", "b" })
                simulation.Node(node, cpus: 4);
            simulation.Broken.Clear();
            simulation.Decide();
            foreach (var name in simulation.Desired.Applications.Keys.Where(name => !simulation.Desired.Applications[name].IsDeleting).ToList())
                simulation.Deploy(name, "final", 2).Scale(name, 2);
            simulation.Settle(600);
            foreach (var application in simulation.Desired.Applications.Values)
            {
                Assert.Equal(Admin.ApplicationStatus.Running, simulation.Status(application.Name).Status);
                var replicas = simulation.Replicas(application.Name);
                Assert.All(replicas, replica => Assert.Equal("final", simulation.Code(replica)));
                Assert.Equal([0, 1], replicas.Select(replica => replica.Rank));
                var isOneNode = replicas[0].Node == replicas[1].Node;
                Assert.Equal(isOneNode ? ["0.0", "0.1"] : ["0.0", "1.0"], replicas.Select(replica => $"{replica.Place.NodeRank}.{replica.Place.LocalRank}").Order());
                Assert.Equal(2, simulation.Routed(application.Name).Count);
            }

            Assert.All(simulation.Observed.Replicas.Values, replica => Assert.Contains(replica.Id.Deployment.Application, simulation.Desired.Applications.Keys));
        },
        iter: 800);

    [Fact]
    public void Decide_RolloutOfHealthyReplicas_NeverGoesBelowTheTarget() => Gen.Select(Gen.Int[1, 12], Gen.Bool, Gen.Int[0, 1000].Array[0, 400]).Sample(
        (wanted, isBroken, choices) =>
        {
            var simulation = new ControlPlaneSimulation().Deploy("app", "v1", wanted).Settle();
            if (isBroken)
                simulation.Broken.Add("v2");
            simulation.Deploy("app", "v2", wanted);
            foreach (var choice in choices)
            {
                if (simulation.InFlight.Count > 0)
                    simulation.End(simulation.InFlight[choice % simulation.InFlight.Count]);
                else
                    simulation.Advance(0.5);
                var answering = simulation.Routed("app").Count(id => simulation.Observed.Replicas[id].Phase == ReplicaPhase.Running);
                Assert.True(answering >= wanted, $"{answering} of {wanted}: {simulation.Picture("app")}");
            }

            simulation.Settle();
            Assert.All(simulation.Replicas("app"), replica => Assert.Equal(isBroken ? "v1" : "v2", simulation.Code(replica)));
            Assert.Equal(wanted, simulation.Replicas("app").Count);
        },
        iter: 300);

    [Fact]
    public void Decide_SettledState_ReturnsAnEmptyPlan() => Gen.Select(Gen.Int[0, 8], Gen.Int[0, 8]).Sample((one, other) =>
    {
        var simulation = new ControlPlaneSimulation().Deploy("a", "v1", one).Deploy("b", "v1", other).Settle();
        var plan = Reconciler.Decide(simulation.Desired, simulation.Observed, simulation.Now);
        Assert.Empty(plan.Actions);
        Assert.Equal(simulation.Observed.Routes.Newest, plan.Routes);
    });

    [Fact]
    public void Decide_ArbitraryLoadFaultsAndClockJumps_ConvergesToWhatTheLoadNeeds() => Gen.Select(Gen.Int[0, 24], Gen.Int[0, 1000]).Array[0, 60].Sample(
        steps =>
        {
            var simulation = new ControlPlaneSimulation().Node("a", cpus: 10).Node("b", cpus: 10);
            foreach (var (kind, choice) in steps)
            {
                if (kind <= 18)
                    Step(simulation, kind, choice);
                else if (kind == 19)
                    simulation.Deploy(choice % 2 == 0 ? "a" : "b", $"v{choice % 3}", 1, spec => Autoscaled(spec, choice % 3, 1 + choice % 7));
                else if (kind == 20)
                    simulation.Advance(choice - 500);
                else if (kind == 21)
                    simulation.Observe(new ControlObservation.WakeUpRequested(new(choice % 2 == 0 ? "a" : "b", choice % 2 == 0 ? "a" : "b")));
                else
                    Load(simulation, choice % 2 == 0 ? "a" : "b", choice % 20);
            }

            foreach (var node in new[] { "a", "b" })
                simulation.Node(node, cpus: 10);
            simulation.Broken.Clear();
            foreach (var name in new[] { "a", "b" })
                Load(simulation, name, 0);
            simulation.Deploy("a", "final", 0, spec => Autoscaled(spec, 0, 6)).Deploy("b", "final", 2, spec => Autoscaled(spec, 2, 3));
            Load(simulation, "a", 7);
            Wait();
            Assert.Equal((4, 4, 2), (simulation.Replicas("a", ReplicaPhase.Running).Count, simulation.Routed("a").Count, simulation.Replicas("b").Count));
            Load(simulation, "a", 0);
            Wait();
            Assert.Empty(simulation.Replicas("a"));
            Assert.Equal(Admin.ApplicationStatus.Running, simulation.Status("a").Status);
            simulation.Observe(new ControlObservation.WakeUpRequested(new("a", "a")));
            simulation.EndAll<ControlAction.StartReplica>().EndAll<ControlAction.PublishRouteSnapshot>();
            Assert.Single(simulation.Routed("a"));

            // A clock that was ahead by up to 500 s is caught up with.
            void Wait()
            {
                for (var round = 0; round < 16; round++)
                    simulation.Advance(100).Settle(1);
            }
        },
        iter: 1000);

    private static Specs.DeploymentSpec Autoscaled(Specs.DeploymentSpec spec, int min, int max) => spec with
    {
        Resources = new() { NumCpus = 1 },
        Autoscaling = new() { MinReplicas = min, MaxReplicas = Math.Max(1, Math.Max(min, max)), UpscaleDelayS = 3, DownscaleDelayS = 20, LookBackPeriodS = 5 },
    };

    private static void Load(ControlPlaneSimulation simulation, string application, int requests)
    {
        var others = simulation.Observed.Loads.GetValueOrDefault(new("a")) ?? System.Collections.Immutable.ImmutableDictionary<DeploymentId, DeploymentLoad>.Empty;
        simulation.Observe(new ControlObservation.LoadReported(new("a"), others.SetItem(new(application, application), DeploymentLoad.None with { Queued = requests })));
    }

    private static void Step(ControlPlaneSimulation simulation, int kind, int choice)
    {
        var names = simulation.Desired.Applications.Keys.ToList();
        var name = names.Count > 0 ? names[choice % names.Count] : null;
        switch (kind)
        {
            case 0:
                simulation.Deploy(choice % 2 == 0 ? "a" : "b", $"v{choice % 5}", choice % 4, spec => spec with
                {
                    Resources = new() { NumCpus = choice % 3 },
                    MaxOngoingRequests = 1 + choice % 2,
                    UserConfig = choice % 3 == 0 ? null : new() { ["value"] = choice % 3 },
                });
                break;
            case 1 when name is not null:
                simulation.Scale(name, choice % 5);
                break;
            case 2 when name is not null && choice % 3 == 0:
                simulation.Delete(name);
                break;
            case 3:
                if (!simulation.Broken.Remove($"v{choice % 5}"))
                    simulation.Broken.Add($"v{choice % 5}");
                break;
            case 4 or 5 when Pick(simulation.Observed.Replicas.Values.Where(replica => replica.Phase is ReplicaPhase.Running or ReplicaPhase.Starting), choice) is { } victim:
                simulation.Kill(victim.Id);
                break;
            case 6:
                simulation.Advance(choice / 100.0);
                break;
            case 7 when Pick(simulation.InFlight.OfType<ControlAction.CheckReplicaHealth>(), choice) is { } check:
                simulation.EndWith(check, new ControlObservation.ReplicaHealthChecked(check.Replica, check.Generation, "unhealthy"));
                break;
            case 8 when Pick(simulation.InFlight.OfType<ControlAction.PublishRouteSnapshot>().Where(publish => !publish.Nodes.IsEmpty), choice) is { } publish:
                simulation.EndWith(publish, new ControlObservation.RoutesNotAcknowledged(publish.Nodes[0], publish.Snapshot.Version, "a worker does not respond"));
                break;
            case 9 when Pick(simulation.InFlight.OfType<ControlAction.ReconfigureReplica>(), choice) is { } change:
                simulation.EndWith(change, new ControlObservation.ReplicaReconfigureFailed(change.Replica, change.Generation, "throws", IsHung: choice % 4 == 0));
                break;
            case 10 when Pick(simulation.InFlight.OfType<ControlAction.StopReplica>(), choice) is { } stop:
                simulation.EndWith(stop, new ControlObservation.ReplicaStopFailed(stop.Replica, stop.Generation, "timeout"));
                break;
            case 11 when Pick(simulation.InFlight.OfType<ControlAction.StartReplica>(), choice) is { } start:
                simulation.EndWith(start, choice % 2 == 0
                    ? new ControlObservation.ReplicaPlacementFailed(start.Replica, start.Generation, "fragmented", false)
                    : new ControlObservation.ReplicaStartFailed(start.Replica, start.Generation, "no process", IsNodeFailure: true));
                break;
            case 12 when choice % 20 == 0:
                simulation.Restart();
                break;
            case 13 when choice % 10 == 0:
                simulation.Lose(choice % 20 == 0 ? "a" : "b");
                break;
            case 14:
                simulation.Node(choice % 2 == 0 ? "a" : "b", cpus: 3 + choice % 3);
                break;
            case 15 when simulation.Observed.Nodes.Count == 2:
                simulation.SetPhase(choice % 2 == 0 ? "a" : "b", (NodePhase)(choice % 4));
                break;
            default:
                if (Pick(simulation.InFlight, choice) is { } any)
                    simulation.End(any);
                break;
        }
    }

    private static T? Pick<T>(IEnumerable<T> items, int choice)
        where T : class
    {
        var list = items.ToList();
        return list.Count == 0 ? null : list[choice % list.Count];
    }
}
