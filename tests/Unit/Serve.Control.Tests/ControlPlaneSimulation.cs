using System.Collections.Immutable;
using Serve.Routes;
using Serve.Specs;

namespace Serve.Control.Tests;

/// <summary>
/// A world in which plans are carried out: actions wait until a test says how they end. Every plan is checked against the rules that hold
/// always, so that any test that only drives a world tests them too.
/// </summary>
internal sealed class ControlPlaneSimulation
{
    private readonly HashSet<ReplicaId> _everStarted = [];
    private readonly Dictionary<SnapshotVersion, RouteSnapshot> _published = new() { [default] = RouteSnapshot.Empty };
    private long _generation;

    public DateTimeOffset Now { get; private set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public DesiredState Desired { get; private set; } = DesiredState.Empty;

    public ObservedState Observed { get; private set; } = new();

    public ReconciliationPlan Plan { get; private set; } = new() { Routes = RouteSnapshot.Empty };

    public List<ControlAction> InFlight { get; } = [];

    public List<ControlAction> History { get; } = [];

    /// <summary>Versions whose constructor throws.</summary>
    public HashSet<string> Broken { get; } = [];

    public ControlPlaneSimulation Node(double cpus = 0, double gpus = 0)
    {
        var total = ResourceAmounts.Of(new() { NumCpus = cpus, NumGpus = gpus });
        Observed = Observed with { Resources = new(total, ResourceAmounts.None) };
        return this;
    }

    public ControlPlaneSimulation Deploy(string name, string code, int replicas = 1, Func<DeploymentSpec, DeploymentSpec>? settings = null, params string[] others)
    {
        var before = Desired.Applications.GetValueOrDefault(name);
        var revision = Revision(name, code, replicas, settings, others) with { Number = (before?.Requested.Number ?? 0) + 1 };
        Desired = Desired.With(new() { Name = name, Requested = revision, LastGood = before is { IsDeleting: false } ? before.LastGood : null, DeployedAt = Now });
        Observed = Observed.WithoutStartFailures(name);
        return Decide();
    }

    public ControlPlaneSimulation Scale(string name, int replicas)
    {
        var application = Desired.Applications[name];
        var target = application.Requested.Deployments[name];
        Desired = Desired.With(application with
        {
            Requested = application.Requested with
            {
                Number = application.Requested.Number + 1,
                Change = replicas > target.Spec.NumReplicas ? RevisionChange.ScaleUp : RevisionChange.ScaleDown,
                Deployments = application.Requested.Deployments.SetItem(name, target.ScaledTo(replicas)),
            },
            LastGood = application.LastGood is { } good && good.Find(name) is { } kept
                ? good with { Deployments = good.Deployments.SetItem(name, kept.ScaledTo(replicas)) }
                : application.LastGood,
        });
        return Decide();
    }

    public ControlPlaneSimulation Delete(string name)
    {
        Desired = Desired.With(Desired.Applications[name] with { IsDeleting = true });
        return Decide();
    }

    public ControlPlaneSimulation Stop()
    {
        Desired = Desired with { IsStopping = true };
        return Decide();
    }

    /// <summary>Another node starts on the same checkpoint.</summary>
    public ControlPlaneSimulation Restart()
    {
        Observed = new() { Epoch = Observed.Epoch + 1, Resources = Observed.Resources };
        InFlight.Clear();
        _published.Clear();
        _published[default] = RouteSnapshot.Empty;
        _generation = 0;
        Desired = Desired with { IsStopping = false };
        return Decide();
    }

    public ControlPlaneSimulation Kill(ReplicaId replica, string reason = "signal 9") => Learn(new ControlObservation.ReplicaDied(replica, reason));

    public ControlPlaneSimulation Advance(double seconds)
    {
        Now += TimeSpan.FromSeconds(seconds);
        return Decide();
    }

    /// <summary>Ends one action the way it ends by itself: well, or badly where the code is broken.</summary>
    public ControlPlaneSimulation End(ControlAction action)
    {
        return action switch
        {
            ControlAction.StartReplica start when Broken.Contains(start.Revision.Package.Hash) => EndWith(action, new ControlObservation.ReplicaStartFailed(start.Replica, start.Generation, $"{start.Revision.Package.Hash} throws")),
            ControlAction.StartReplica start => EndWith(action, new ControlObservation.ReplicaStarted(start.Replica, start.Generation, new(new("n1"), start.Replica.Suffix))),
            ControlAction.StopReplica stop => EndWith(action, new ControlObservation.ReplicaStopped(stop.Replica, stop.Generation)),
            ControlAction.ReconfigureReplica change => EndWith(action, new ControlObservation.ReplicaReconfigured(change.Replica, change.Generation)),
            ControlAction.CheckReplicaHealth check => EndWith(action, new ControlObservation.ReplicaHealthChecked(check.Replica, check.Generation, null)),
            ControlAction.PublishRouteSnapshot publish => EndWith(action, new ControlObservation.RoutesAcknowledged(publish.Snapshot.Version)),
            _ => throw new ArgumentOutOfRangeException(nameof(action)),
        };
    }

    public ControlPlaneSimulation EndWith(ControlAction action, ControlObservation outcome)
    {
        InFlight.Remove(action);
        return Learn(outcome);
    }

    /// <summary>Ends everything of one kind that is under way now.</summary>
    public ControlPlaneSimulation EndAll<TAction>()
        where TAction : ControlAction
    {
        foreach (var action in InFlight.OfType<TAction>().ToList())
            End(action);
        return this;
    }

    /// <summary>Lets everything end by itself, and time pass, until nothing is left to do but to look after health.</summary>
    public ControlPlaneSimulation Settle(double seconds = 120)
    {
        var until = Now.AddSeconds(seconds);
        while (true)
        {
            if (InFlight.Count > 0)
                End(InFlight[0]);
            else if (Plan.NextWakeUp is { } wakeUp && wakeUp < until && !IsQuiet)
                Advance(Math.Max(0.001, (wakeUp - Now).TotalSeconds));
            else
                return this;
        }
    }

    public ControlPlaneSimulation Learn(ControlObservation observation)
    {
        Observed = Observed.Apply(observation, Now);
        return Decide();
    }

    public IReadOnlyList<ObservedReplica> Replicas(string application, ReplicaPhase? phase = null) =>
        [.. Observed.Replicas.Values.Where(replica => replica.Id.Deployment.Application == application && (phase is null || replica.Phase == phase)).OrderBy(replica => replica.Rank)];

    public IReadOnlyList<string> Routed(string application) =>
        [.. Observed.Routes.Newest.Deployments.Where(route => route.Application == application).SelectMany(route => route.Replicas).Select(replica => replica.ReplicaId)];

    public string Code(ObservedReplica replica) => Desired.Applications.GetValueOrDefault(replica.Id.Deployment.Application) is { } application
        ? new[] { application.Requested, application.LastGood }.FirstOrDefault(revision => revision?.Find(replica.Id.Deployment.Name)?.Version == replica.Deployment.Version)?.Package.Hash ?? "older"
        : "gone";

    /// <summary>One line: <c>v1:running v2:starting | 2 routed</c>.</summary>
    public string Picture(string application) =>
        string.Join(" ", Replicas(application).Select(replica => $"{Code(replica)}:{replica.Phase.ToString().ToLowerInvariant()}").Order()) + $" | {Routed(application).Count} routed";

    public ApplicationStatusReport Status(string application) => Plan.Status[application];

    public static ApplicationRevision Revision(string name, string code, int replicas, Func<DeploymentSpec, DeploymentSpec>? settings, params string[] others)
    {
        var definitions = others.Prepend(name).Select(deployment => new DeploymentDefinition { Options = new() { Name = deployment }, TypeName = "My." + deployment }).ToImmutableArray();
        return new()
        {
            Number = 1,
            Config = new() { Name = name, ImportPath = code },
            Package = new() { Hash = code, Directory = "/p", AssemblyFile = "a.dll", Ingress = name, Deployments = definitions },
            Isolation = IsolationMode.None,
            RoutePrefix = "/" + name,
            Deployments = definitions.ToImmutableSortedDictionary(definition => definition.Options.Name!, definition =>
            {
                var spec = DeploymentSpec.Default with { Name = definition.Options.Name!, NumReplicas = replicas };
                return DeploymentRevisionFactory.Create(settings?.Invoke(spec) ?? spec, definition, code, null, IsolationMode.None);
            }),
        };
    }

    private bool IsQuiet => Desired.Applications.Values.All(application =>
        !application.IsDeleting
        && Observed.Promoted.GetValueOrDefault(application.Name) == application.Requested.Number
        && application.Requested.Deployments.Values.All(target => Observed.ReplicasOf(new(application.Name, target.Spec.Name)).Count() == target.Spec.NumReplicas));

    public ControlPlaneSimulation Decide()
    {
        for (var round = 0; round < 8; round++)
        {
            Observed = Observed with { Resources = Observed.Resources is { } resources ? resources with { Reserved = Reserved() } : null };
            Plan = Reconciler.Decide(Desired, Observed, Now);
            foreach (var action in Plan.Actions)
            {
                Rules(action);
                Observed = Observed.WithDispatched(action, Now);
                History.Add(action);
                Dispatch(action);
            }

            if (Plan.Actions.IsEmpty)
                return this;
        }

        throw new InvalidOperationException($"Plans never become empty: {string.Join(", ", Plan.Actions)}");
    }

    private ResourceAmounts Reserved() => Observed.Replicas.Values.Aggregate(ResourceAmounts.None, (sum, replica) => sum.Plus(ResourceAmounts.Of(replica.Deployment.Spec.Resources)));

    private void Dispatch(ControlAction action)
    {
        switch (action)
        {
            case ControlAction.PromoteApplicationRevision settle:
                var application = Desired.Applications[settle.Application];
                Desired = Desired.With(application with { LastGood = application.Requested });
                break;
            case ControlAction.RemoveApplication forget:
                Desired = Desired.Without(forget.Application);
                break;
            case ControlAction.PublishRouteSnapshot publish:
                _published[publish.Snapshot.Version] = publish.Snapshot;
                InFlight.Add(action);
                break;
            default:
                InFlight.Add(action);
                break;
        }
    }

    private void Rules(ControlAction action)
    {
        Assert.True(action.Generation > _generation, "Generations grow.");
        _generation = action.Generation;
        Assert.NotEmpty(action.Reason);
        switch (action)
        {
            case ControlAction.StartReplica start:
                Assert.True(_everStarted.Add(start.Replica), "No replica id is used twice.");
                var application = Desired.Applications.GetValueOrDefault(start.Replica.Deployment.Application);
                Assert.True(application is { IsDeleting: false } && !Desired.IsStopping, "Nothing starts for what is to go.");
                var wanted = Math.Max(
                    application.Requested.Find(start.Replica.Deployment.Name)?.Spec.NumReplicas ?? 0,
                    application.LastGood?.Find(start.Replica.Deployment.Name)?.Spec.NumReplicas ?? 0);
                var live = Observed.ReplicasOf(start.Replica.Deployment).Count(replica => replica.IsLive);
                Assert.True(live + 1 <= wanted + Math.Max(1, wanted / 5), "Never more than wanted and the surge.");
                Assert.InRange(start.Rank, 0, Math.Max(0, wanted - 1));
                if (Observed.Resources is { } resources)
                    Assert.True(ResourceAmounts.Of(start.Deployment.Spec.Resources).Plus(Reserved()).FitsIn(resources.Total), "Nothing starts where there is no room.");
                break;
            case ControlAction.StopReplica stop:
                var replica = Observed.Replicas[stop.Replica.ToString()];
                Assert.True(replica.Phase != ReplicaPhase.Stopping || replica.InFlight is null, "Nothing is stopped twice.");
                if (replica.Phase == ReplicaPhase.Running)
                {
                    // Whoever routes by any snapshot that may still be in force must not know the replica.
                    var inForce = _published.Where(pair => pair.Key >= Observed.Routes.Acknowledged).Select(pair => pair.Value);
                    Assert.DoesNotContain(inForce.SelectMany(snapshot => snapshot.Deployments).SelectMany(route => route.Replicas), route => route.ReplicaId == stop.Replica.ToString());
                }

                break;
            case ControlAction.PublishRouteSnapshot publish:
                Assert.Equal(new SnapshotVersion(Observed.Epoch, Observed.Routes.Newest.Version.Number + 1), publish.Snapshot.Version);
                break;
        }
    }
}
