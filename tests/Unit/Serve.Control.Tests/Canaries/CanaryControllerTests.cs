using System.Collections.Immutable;
using CsCheck;
using Serve.Control.Autoscaling;
using Serve.Control.Canaries;
using Serve.Control.Observed;
using Serve.Routes;
using Serve.Specs;

namespace Serve.Control.Tests.Canaries;

public sealed class CanaryControllerTests
{
    private static readonly CanarySpec Steps = new() { Steps = [10, 50, 100], StepDurationS = 60, MaxErrorRate = 0.05, MinRequests = 20 };

    [Fact]
    public void Deploy_Canary_IsRoutedOnceItRunsAndKeepsTheStableReplicas()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1", 2).Settle().Canary("app", "v2", new() { Percent = 10, Header = "x-canary=1", Key = "cookie:session" });
        Assert.Null(Route(simulation).Canary);

        simulation.Settle();
        Assert.Equal("v1:running v1:running | 2 routed", simulation.Picture("app"));
        Assert.Equal("v2:running | 1 routed", simulation.Picture("app@canary"));
        Assert.Equal(
            new CanaryRoute { Application = "app@canary", Ingress = "app", Revision = 2, Percent = 10, HeaderName = "x-canary", HeaderValue = "1", Key = "cookie:session" }, Route(simulation).Canary);
        Assert.Single(simulation.Observed.Routes.Newest.Applications);
    }

    [Fact]
    public void Deploy_CanaryWithoutReplica_GetsNoRequests()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1").Settle().Canary("app", "v2", new() { Percent = 10 }).Settle();
        simulation.Broken.Add("v2");
        simulation.Kill(simulation.Replicas("app@canary")[0].Id);
        Assert.Null(Route(simulation).Canary);
        simulation.Broken.Clear();
        Assert.NotNull(Route(simulation.Settle()).Canary);
    }

    [Fact]
    public void Promote_Canary_ReplacesTheStableRevisionAndDrainsTheCanary()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1", 2).Settle().Canary("app", "v2", new() { Percent = 10 }, replicas: 2).Settle();
        simulation.Change(desired => CanaryChanges.Promote(desired, "app", "requested", simulation.Now));
        Assert.Equal("app@canary", Route(simulation).Canary?.Application);
        simulation.Settle();
        Assert.Equal("v2:running v2:running | 2 routed", simulation.Picture("app"));
        Assert.Equal(" | 0 routed", simulation.Picture("app@canary"));
        Assert.Equal(["app"], simulation.Desired.Applications.Keys);
        var application = simulation.Desired.Applications["app"];
        Assert.Equal((2, 2, "1"), (application.Requested.Number, application.LastGood!.Number, string.Join(" ", application.History.Select(past => past.Revision.Number))));
    }

    [Fact]
    public void RollBack_DuringAPromotion_RestoresTheStableRevision()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1", 3).Settle().Canary("app", "v2", new() { Percent = 10 }, replicas: 3).Settle();
        simulation.Change(desired => CanaryChanges.Promote(desired, "app", "requested", simulation.Now)).EndAll<ControlAction.StartReplica>().EndAll<ControlAction.PublishRouteSnapshot>();
        Assert.Contains(simulation.Replicas("app"), replica => simulation.Code(replica) == "v2");
        simulation.Change(desired => CanaryChanges.RollBack(desired, "app", "requested", simulation.Now)).Settle();
        Assert.Equal("v1:running v1:running v1:running | 3 routed", simulation.Picture("app"));
        Assert.Equal(["app"], simulation.Desired.Applications.Keys);
        Assert.Equal((3, "rollback to revision 1"), (simulation.Desired.Applications["app"].Requested.Number, simulation.Desired.Applications["app"].Requested.Config.Note));
    }

    [Fact]
    public void Decide_HealthyCanary_IsPromotedStepByStep()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1").Settle().Canary("app", "v2", Steps).Settle(1);
        List<double> percents = [];
        for (var i = 1; simulation.Desired.Applications.ContainsKey("app@canary"); i++)
        {
            percents.Add(State(simulation)?.Percent ?? -1);
            simulation.Count("app", ControlPlaneSimulation.Requests(i * 300), ControlPlaneSimulation.Requests(i * 30)).Advance(61).Settle(1);
            Assert.True(i < 10);
        }

        Assert.Equal([10, 50, 100], percents);
        Assert.Equal("v2:running | 1 routed", simulation.Picture("app"));
    }

    [Fact]
    public void Decide_FailingCanary_IsRolledBackAndRemainsInTheHistory()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1").Settle().Canary("app", "v2", Steps).Settle(1);
        simulation.Count("app", ControlPlaneSimulation.Requests(300), ControlPlaneSimulation.Requests(30, 3)).Settle(5);

        Assert.Equal("v1:running | 1 routed", simulation.Picture("app"));
        Assert.Equal(["app"], simulation.Desired.Applications.Keys);
        var application = simulation.Desired.Applications["app"];
        Assert.Equal("rolled back: error rate 0.1 of 30 requests is above max_error_rate 0.05", Assert.Single(application.History).CanaryEnd);
        Assert.Equal(3, CanaryChanges.NextNumber(simulation.Desired, "app"));
        Assert.Throws<DefinitionException>(() => application.RollbackTarget(null));
    }

    [Fact]
    public void Decide_CanaryThatNeverStarts_IsRolledBackWhileTheStableRevisionServes()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1").Settle();
        simulation.Broken.Add("v2");
        simulation.Canary("app", "v2", Steps).Settle();
        Assert.Equal("v1:running | 1 routed", simulation.Picture("app"));
        Assert.Equal(["app"], simulation.Desired.Applications.Keys);
        Assert.Contains("could not be started: failed to start 3 times", Assert.Single(simulation.Desired.Applications["app"].History).CanaryEnd, StringComparison.Ordinal);

        simulation.Canary("app", "v2", new() { Percent = 10 }).Settle();
        Assert.Equal(Admin.ApplicationStatus.DeployFailed, simulation.Status("app@canary").Status);
        simulation.Change(desired => CanaryChanges.RollBack(desired, "app", "requested", simulation.Now)).Settle();
        Assert.Equal(["app"], simulation.Desired.Applications.Keys);
    }

    [Fact]
    public void Restart_InAStep_ContinuesWithThatStep()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1").Settle().Canary("app", "v2", Steps).Settle(1);
        simulation.Count("app", ControlPlaneSimulation.Requests(300), ControlPlaneSimulation.Requests(30)).Advance(61).Settle(1);
        var before = State(simulation)!;
        Assert.Equal((1, 50), (before.Step, before.Percent));

        simulation.Advance(30).Restart().Settle(1);
        Assert.Equal(before.StepStartedAt, State(simulation)!.StepStartedAt);
        Assert.Equal(50, Route(simulation).Canary?.Percent);
        // The requests before the restart are not counted again.
        simulation.Advance(31).Settle(1);
        Assert.Equal(1, State(simulation)!.Step);
        simulation.Count("app", ControlPlaneSimulation.Requests(10), ControlPlaneSimulation.Requests(20)).Settle(1);
        Assert.Equal(2, State(simulation)!.Step);
    }

    [Fact]
    public void Count_RestartedProcess_CountsItsRequestsFromZero()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1").Settle().Canary("app", "v2", new() { Percent = 10 }).Settle(1);
        simulation.Count("app", RequestCounts.None, ControlPlaneSimulation.Requests(10)).Count("app", RequestCounts.None, ControlPlaneSimulation.Requests(15))
            .Count("app", RequestCounts.None, ControlPlaneSimulation.Requests(7), "other").Count("app", RequestCounts.None, ControlPlaneSimulation.Requests(4));
        Assert.Equal(26, simulation.Observed.RevisionRequestsOf("app", 2).Canary.Requests);
    }

    [Fact]
    public void Deploy_SecondCanary_ReplacesTheFirst()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1").Settle().Canary("app", "v2", Steps).Settle(1).Canary("app", "v3", new() { Percent = 30 }).Settle(5);
        Assert.Equal("v3:running | 1 routed", simulation.Picture("app@canary"));
        Assert.Equal((30, 3), (Route(simulation).Canary!.Percent, Route(simulation).Canary!.Revision));

        var same = simulation.Desired;
        Assert.Same(same.Applications["app@canary"], simulation.Canary("app", "v3", new() { Percent = 30 }).Desired.Applications["app@canary"]);
        simulation.Canary("app", "v3", new() { Percent = 40 }).Settle(1);
        Assert.Equal(40, Route(simulation).Canary!.Percent);
        simulation.Canary("app", "v1", new() { Percent = 40 }).Settle();
        Assert.Equal(["app"], simulation.Desired.Applications.Keys);
    }

    [Fact]
    public void Delete_Application_DrainsItsCanary()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1").Settle().Canary("app", "v2", Steps).Settle(1).Delete("app").Settle();
        Assert.Empty(simulation.Observed.Replicas);
        Assert.Empty(simulation.Desired.Applications);
    }

    [Fact]
    public void Promote_AutoscaledCanary_StableRevisionTakesOverItsReplicas()
    {
        Func<DeploymentSpec, DeploymentSpec> scaled = spec => spec with { Autoscaling = new() { MinReplicas = 1, MaxReplicas = 8, UpscaleDelayS = 0, DownscaleDelayS = 5, LookBackPeriodS = 1, TargetOngoingRequests = 1 } };
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1", 1, scaled).Settle().Canary("app", "v2", new() { Percent = 100 }, 1, scaled).Settle(1);
        simulation.Observe(new ControlObservation.LoadReported(new("n1"), ImmutableDictionary<DeploymentId, DeploymentLoad>.Empty
            .Add(new("app@canary", "app"), new(5, ImmutableSortedDictionary<string, int>.Empty, true))));
        for (var i = 0; i < 10; i++)
            simulation.Advance(2).Settle(0.1);
        Assert.Equal(5, simulation.Replicas("app@canary").Count);
        Assert.Single(simulation.Replicas("app"));

        simulation.Change(desired => CanaryChanges.Promote(desired, "app", "requested", simulation.Now));
        // Replicas that start slowly, for longer than the delay of a scale-down.
        for (var i = 0; i < 10; i++)
            simulation.Advance(2);
        var fewest = int.MaxValue;
        for (var i = 0; i < 40 && simulation.Desired.Applications.ContainsKey("app@canary"); i++)
        {
            simulation.Advance(2).Settle(0.1);
            if (Route(simulation).Canary is null)
                fewest = Math.Min(fewest, simulation.Routed("app").Count);
        }

        Assert.Equal(5, fewest);
    }

    [Fact]
    public void Change_WithoutCanary_IsAnError()
    {
        var simulation = new ControlPlaneSimulation().Deploy("app", "v1").Settle();
        foreach (var change in (Func<Desired.DesiredState>[])[
            () => CanaryChanges.Promote(simulation.Desired, "app", "", simulation.Now), () => CanaryChanges.RollBack(simulation.Desired, "app", "", simulation.Now),
            () => CanaryChanges.SetPercent(simulation.Desired, "app", 10, simulation.Now)])
            Assert.StartsWith("Application 'app' has no canary.", Assert.Throws<DefinitionException>(change).Message, StringComparison.Ordinal);
        simulation.Canary("app", "v2", new() { Percent = 10 });
        foreach (var percent in new[] { -1, 100.5, double.NaN })
            Assert.StartsWith("percent must be from 0 to 100", Assert.Throws<DefinitionException>(() => CanaryChanges.SetPercent(simulation.Desired, "app", percent, simulation.Now)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decide_ArbitraryEvents_StableRevisionKeepsServingUntilTheCanaryIsDone() => Gen.Select(Gen.Int[0, 9], Gen.Int[0, 1000]).Array[0, 80].Sample(
        steps =>
        {
            var simulation = new ControlPlaneSimulation().Deploy("app", "v1", 2).Settle();
            var (stable, canary) = (0L, 0L);
            foreach (var (kind, choice) in steps)
            {
                switch (kind)
                {
                    case 0 when CanaryChanges.Find(simulation.Desired, "app") is null && simulation.Desired.Applications["app"].Requested.Package.Hash == "v1":
                        if (choice % 3 == 0)
                            simulation.Broken.Add("v2");
                        simulation.Canary("app", "v2", Steps, 2);
                        break;
                    case 1 when State(simulation) is not null:
                        simulation.Change(desired => CanaryChanges.Promote(desired, "app", "requested", simulation.Now));
                        break;
                    case 2 when State(simulation) is not null:
                        simulation.Change(desired => CanaryChanges.RollBack(desired, "app", "requested", simulation.Now));
                        break;
                    case 3:
                        simulation.Restart();
                        break;
                    case 4:
                        (stable, canary) = (stable + choice, canary + (choice / 10));
                        simulation.Count("app", ControlPlaneSimulation.Requests(stable), ControlPlaneSimulation.Requests(canary, choice % 7 == 0 ? canary / 10 : 0));
                        break;
                    case 5:
                        simulation.Advance(choice % 100);
                        break;
                    default:
                        if (simulation.InFlight.Count > 0)
                            simulation.End(simulation.InFlight[choice % simulation.InFlight.Count]);
                        break;
                }

                if (steps.All(step => step.Item1 != 3))
                    Assert.True(simulation.Routed("app").Count(id => simulation.Observed.Replicas[id].Phase == ReplicaPhase.Running) >= 2, simulation.Picture("app"));
                if (Route(simulation)?.Canary is { } route)
                    Assert.Contains(route.Percent, new double[] { 10, 50, 100 });
            }

            // Whatever happened, an operator can end it.
            if (State(simulation) is not null)
                simulation.Change(desired => CanaryChanges.RollBack(desired, "app", "requested", simulation.Now));
            simulation.Settle(300).Advance(1).Settle(300);
            Assert.Equal(["app"], simulation.Desired.Applications.Keys);
            Assert.Equal(2, simulation.Routed("app").Count);
            Assert.Single(simulation.Replicas("app").Select(simulation.Code).Distinct());
        },
        iter: 1000);

    private static ApplicationRoute Route(ControlPlaneSimulation simulation) => simulation.Observed.Routes.Newest.Applications.FirstOrDefault(route => route.Application == "app")!;

    private static CanaryState? State(ControlPlaneSimulation simulation) => CanaryChanges.Find(simulation.Desired, "app")?.Canary;
}
