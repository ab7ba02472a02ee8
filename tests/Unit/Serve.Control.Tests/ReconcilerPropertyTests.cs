using CsCheck;

namespace Serve.Control.Tests;

public sealed class ReconcilerPropertyTests
{
    private static readonly Gen<(int Kind, int Choice)[]> Steps = Gen.Select(Gen.Int[0, 15], Gen.Int[0, 1000]).Array[0, 120];

    [Fact]
    public void Decide_AnyEventsInAnyOrder_KeepsTheRulesAndComesToRestWhenFaultsStop() => Steps.Sample(
        steps =>
        {
            var world = new ControlPlaneSimulation().Node(cpus: 6);
            foreach (var (kind, choice) in steps)
                Step(world, kind, choice);

            world.Broken.Clear();
            world.Decide();
            foreach (var name in world.Desired.Applications.Keys.Where(name => !world.Desired.Applications[name].IsDeleting).ToList())
                world.Deploy(name, "final", 2);
            world.Settle(600);
            foreach (var application in world.Desired.Applications.Values)
            {
                Assert.Equal(Admin.ApplicationStatus.Running, world.Status(application.Name).Status);
                var replicas = world.Replicas(application.Name);
                Assert.All(replicas, replica => Assert.Equal("final", world.Code(replica)));
                Assert.Equal([0, 1], replicas.Select(replica => replica.Rank));
                Assert.Equal(2, world.Routed(application.Name).Count);
            }

            Assert.All(world.Observed.Replicas.Values, replica => Assert.Contains(replica.Id.Deployment.Application, world.Desired.Applications.Keys));
        },
        iter: 800);

    [Fact]
    public void Decide_RolloutOfHealthyReplicas_NeverGoesBelowWhatIsWanted() => Gen.Select(Gen.Int[1, 12], Gen.Bool, Gen.Int[0, 1000].Array[0, 400]).Sample(
        (wanted, isBroken, choices) =>
        {
            var world = new ControlPlaneSimulation().Deploy("app", "v1", wanted).Settle();
            if (isBroken)
                world.Broken.Add("v2");
            world.Deploy("app", "v2", wanted);
            foreach (var choice in choices)
            {
                if (world.InFlight.Count > 0)
                    world.End(world.InFlight[choice % world.InFlight.Count]);
                else
                    world.Advance(0.5);
                var answering = world.Routed("app").Count(id => world.Observed.Replicas[id].Phase == ReplicaPhase.Running);
                Assert.True(answering >= wanted, $"{answering} of {wanted}: {world.Picture("app")}");
            }

            world.Settle();
            Assert.All(world.Replicas("app"), replica => Assert.Equal(isBroken ? "v1" : "v2", world.Code(replica)));
            Assert.Equal(wanted, world.Replicas("app").Count);
        },
        iter: 300);

    [Fact]
    public void Decide_SteadyWorld_GivesAnEmptyPlan() => Gen.Select(Gen.Int[0, 8], Gen.Int[0, 8]).Sample((one, other) =>
    {
        var world = new ControlPlaneSimulation().Deploy("a", "v1", one).Deploy("b", "v1", other).Settle();
        var plan = Reconciler.Decide(world.Desired, world.Observed, world.Now);
        Assert.Empty(plan.Actions);
        Assert.Equal(world.Observed.Routes.Newest, plan.Routes);
    });

    private static void Step(ControlPlaneSimulation world, int kind, int choice)
    {
        var names = world.Desired.Applications.Keys.ToList();
        var name = names.Count > 0 ? names[choice % names.Count] : null;
        switch (kind)
        {
            case 0:
                world.Deploy(choice % 2 == 0 ? "a" : "b", $"v{choice % 5}", choice % 4, spec => spec with
                {
                    Resources = new() { NumCpus = choice % 3 },
                    MaxOngoingRequests = 1 + choice % 2,
                });
                break;
            case 1 when name is not null:
                world.Scale(name, choice % 5);
                break;
            case 2 when name is not null && choice % 3 == 0:
                world.Delete(name);
                break;
            case 3:
                if (!world.Broken.Remove($"v{choice % 5}"))
                    world.Broken.Add($"v{choice % 5}");
                break;
            case 4 or 5 when Pick(world.Observed.Replicas.Values.Where(replica => replica.Phase is ReplicaPhase.Running or ReplicaPhase.Starting), choice) is { } victim:
                world.Kill(victim.Id);
                break;
            case 6:
                world.Advance(choice / 100.0);
                break;
            case 7 when Pick(world.InFlight.OfType<ControlAction.CheckReplicaHealth>(), choice) is { } check:
                world.EndWith(check, new ControlObservation.ReplicaHealthChecked(check.Replica, check.Generation, "unwell"));
                break;
            case 8 when Pick(world.InFlight.OfType<ControlAction.PublishRouteSnapshot>(), choice) is { } publish:
                world.EndWith(publish, new ControlObservation.RoutesNotAcknowledged(publish.Snapshot.Version, "a worker hangs"));
                break;
            case 9 when Pick(world.InFlight.OfType<ControlAction.ReconfigureReplica>(), choice) is { } change:
                world.EndWith(change, new ControlObservation.ReplicaReconfigureFailed(change.Replica, change.Generation, "throws"));
                break;
            case 10 when Pick(world.InFlight.OfType<ControlAction.StopReplica>(), choice) is { } stop:
                world.EndWith(stop, new ControlObservation.ReplicaStopFailed(stop.Replica, stop.Generation, "hangs"));
                break;
            case 11 when Pick(world.InFlight.OfType<ControlAction.StartReplica>(), choice) is { } start:
                world.EndWith(start, new ControlObservation.ReplicaPlacementFailed(start.Replica, start.Generation, "fragmented", false));
                break;
            case 12 when choice % 20 == 0:
                world.Restart();
                break;
            default:
                if (Pick(world.InFlight, choice) is { } any)
                    world.End(any);
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
