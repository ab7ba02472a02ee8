using System.Collections.Immutable;
using Serve.Control.Autoscaling;
using Serve.Control.Canaries;
using Serve.Control.Desired;
using Serve.Control.Observed;
using Serve.Control.Status;
using Serve.Routes;
using Serve.Specs;

namespace Serve.Control.Tests;

/// <summary>
/// Simulation of a cluster that executes plans: each action stays in flight until a test ends it. Checks the rules that every plan must keep, so that any test
/// that drives a simulation also tests them.
/// </summary>
internal sealed class ControlPlaneSimulation
{
    private static readonly NodeId SingleNode = new("n1");
    private readonly HashSet<ReplicaId> _everStarted = [];
    private readonly List<RouteSnapshot> _published = [RouteSnapshot.Empty];
    private readonly Dictionary<NodeId, NodeView> _nodes = new() { [SingleNode] = new() { Id = SingleNode } };
    private long _generation;

    public DateTimeOffset Now { get; private set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public DesiredState Desired { get; private set; } = DesiredState.Empty;

    public ObservedState Observed { get; private set; } = new() { Epoch = 1 };

    public ReconciliationPlan Plan { get; private set; } = new() { Routes = RouteSnapshot.Empty };

    public List<ControlAction> InFlight { get; } = [];

    public List<ControlAction> History { get; } = [];

    /// <summary>Code whose constructor throws.</summary>
    public HashSet<string> Broken { get; } = [];

    /// <summary>Limits the resources of the only node.</summary>
    public ControlPlaneSimulation Node(double cpus = 0, double gpus = 0) => Node(SingleNode.Value, cpus, gpus);

    /// <summary>Adds or replaces a node with limited resources.</summary>
    public ControlPlaneSimulation Node(string name, double cpus = 0, double gpus = 0, NodePhase phase = NodePhase.Ready)
    {
        if (name != SingleNode.Value && _nodes.TryGetValue(SingleNode, out var implicitNode) && implicitNode.Total is null)
            _nodes.Remove(SingleNode);
        _nodes[new(name)] = new() { Id = new(name), Phase = phase, Total = ResourceAmounts.Of(new() { NumCpus = cpus, NumGpus = gpus }) };
        return Decide();
    }

    public ControlPlaneSimulation SetPhase(string node, NodePhase phase)
    {
        _nodes[new(node)] = _nodes[new(node)] with { Phase = phase };
        return Decide();
    }

    /// <summary>A node disappears: its replicas are lost and nothing in flight on it ends any more.</summary>
    public ControlPlaneSimulation Lose(string node)
    {
        var id = new NodeId(node);
        _nodes.Remove(id);
        InFlight.RemoveAll(action => NodeOf(action) == id);
        return Decide();
    }

    public ControlPlaneSimulation Deploy(
        string name, string code, int replicas = 1, Func<DeploymentSpec, DeploymentSpec>? settings = null, params string[] others)
    {
        var before = Desired.Applications.GetValueOrDefault(name);
        var current = before is { IsDeleting: false } ? before : null;
        var revision = Revision(name, code, replicas, settings, others) with { Number = (before?.Requested.Number ?? 0) + 1 };
        Desired = Desired.With(new()
        {
            Name = name,
            Requested = revision,
            Targets = current?.TargetsFor(revision) ?? ReplicaTarget.None,
            LastGood = current?.LastGood,
            LastGoodTargets = current?.LastGoodTargets ?? ReplicaTarget.None,
            Generation = (before?.Generation ?? 0) + 1,
            DeployedAt = Now,
        });
        Observed = Observed.WithoutStartFailures(name);
        return Decide();
    }

    public ControlPlaneSimulation Canary(string name, string code, CanarySpec settings, int replicas = 1, Func<DeploymentSpec, DeploymentSpec>? spec = null)
    {
        var revision = Revision(name, code, replicas, spec) with { Number = CanaryChanges.NextNumber(Desired, name) };
        return Change(desired => CanaryChanges.Deploy(desired, name, revision, settings, null, Now), CanaryName.Of(name));
    }

    /// <summary>Applies a change of an operator.</summary>
    public ControlPlaneSimulation Change(Func<DesiredState, DesiredState> change, string? retried = null)
    {
        Desired = change(Desired);
        Observed = retried is null ? Observed : Observed.WithoutStartFailures(retried);
        return Decide();
    }

    /// <summary>Reports the total requests of a process, with one latency each.</summary>
    public ControlPlaneSimulation Count(string name, RequestCounts stable, RequestCounts canary, string process = "p") =>
        Observe(new ControlObservation.RequestsCounted(Observed.Nodes.Keys.First(), process, name,
            new() { Revision = CanaryChanges.Find(Desired, name)?.Requested.Number ?? 0, Stable = stable, Canary = canary }));

    /// <summary>Returns counts with the same latency for all requests.</summary>
    public static RequestCounts Requests(long count, long errors = 0, double milliseconds = 1)
    {
        var buckets = new long[RequestCounts.BucketOf(milliseconds) + 1];
        buckets[^1] = count;
        return count == 0 ? RequestCounts.None : new(count, errors, [.. buckets]);
    }

    public ControlPlaneSimulation Scale(string name, int replicas)
    {
        Desired = Desired.With(Desired.Applications[name].WithTarget(name, new(replicas)));
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

    /// <summary>A new controller starts from the same checkpoint.</summary>
    public ControlPlaneSimulation Restart()
    {
        Observed = new() { Epoch = Observed.Epoch + 1 };
        InFlight.Clear();
        _published.Clear();
        _published.Add(RouteSnapshot.Empty);
        _generation = 0;
        Desired = Desired with { IsStopping = false };
        return Decide();
    }

    public ControlPlaneSimulation Kill(ReplicaId replica, string reason = "signal 9") => Observe(new ControlObservation.ReplicaDied(replica, reason));

    public ControlPlaneSimulation Advance(double seconds)
    {
        Now += TimeSpan.FromSeconds(seconds);
        return Decide();
    }

    /// <summary>Ends one action with its normal result: success, or failure if the code is broken.</summary>
    public ControlPlaneSimulation End(ControlAction action)
    {
        if (action is ControlAction.PublishRouteSnapshot publish)
        {
            InFlight.Remove(action);
            foreach (var node in publish.Nodes)
                Observe(new ControlObservation.RoutesAcknowledged(node, publish.Snapshot.Version));
            return this;
        }

        return EndWith(action, action switch
        {
            ControlAction.StartReplica start when Broken.Contains(start.Revision.Package.Hash) =>
                new ControlObservation.ReplicaStartFailed(start.Replica, start.Generation, $"{start.Revision.Package.Hash} throws"),
            ControlAction.StartReplica start => new ControlObservation.ReplicaStarted(start.Replica, start.Generation, new(start.Node, start.Replica.Suffix)),
            ControlAction.StopReplica stop => new ControlObservation.ReplicaStopped(stop.Replica, stop.Generation),
            ControlAction.ReconfigureReplica change => new ControlObservation.ReplicaReconfigured(change.Replica, change.Generation),
            ControlAction.CheckReplicaHealth check => new ControlObservation.ReplicaHealthChecked(check.Replica, check.Generation, null),
            _ => throw new ArgumentOutOfRangeException(nameof(action)),
        });
    }

    public ControlPlaneSimulation EndWith(ControlAction action, ControlObservation result)
    {
        InFlight.Remove(action);
        return Observe(result);
    }

    /// <summary>Ends all actions of one kind that are in flight now.</summary>
    public ControlPlaneSimulation EndAll<TAction>()
        where TAction : ControlAction
    {
        foreach (var action in InFlight.OfType<TAction>().ToList())
            End(action);
        return this;
    }

    /// <summary>Ends all actions and advances the time until only health checks are left to do.</summary>
    public ControlPlaneSimulation Settle(double seconds = 120)
    {
        var until = Now.AddSeconds(seconds);
        while (true)
        {
            if (InFlight.Count > 0)
                End(InFlight[0]);
            else if (Plan.NextWakeUp is { } wakeUp && wakeUp < until && !IsSettled)
                Advance(Math.Max(0.001, (wakeUp - Now).TotalSeconds));
            else
                return this;
        }
    }

    public ControlPlaneSimulation Observe(ControlObservation observation)
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
        : "removed";

    /// <summary>One line: <c>v1:running v2:starting | 2 routed</c>.</summary>
    public string Picture(string application) =>
        string.Join(" ", Replicas(application).Select(replica => $"{Code(replica)}:{replica.Phase.ToString().ToLowerInvariant()}").Order()) + $" | {Routed(application).Count} routed";

    /// <summary>One line: <c>a:2 b:1</c>, the live replicas of an application by node.</summary>
    public string NodesOf(string application) => string.Join(" ", Replicas(application)
        .Where(replica => replica.IsLive).CountBy(replica => replica.Node.Value).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}:{pair.Value}"));

    public ApplicationStatusReport Status(string application) => Plan.Status[application];

    public static ApplicationRevision Revision(string name, string code, int replicas, Func<DeploymentSpec, DeploymentSpec>? settings, params string[] others)
    {
        var definitions = others.Prepend(name).Select(deployment => new DeploymentDefinition { Options = new() { Name = deployment }, TypeName = "My." + deployment }).ToImmutableArray();
        return new()
        {
            Number = 1,
            Config = new() { Name = name, ImportPath = code },
            Package = new() { Hash = code, AssemblyFile = "a.dll", Ingress = name, Deployments = definitions },
            Isolation = IsolationMode.None,
            RoutePrefix = "/" + name,
            Deployments = definitions.ToImmutableSortedDictionary(definition => definition.Options.Name!, definition =>
            {
                var spec = DeploymentSpec.Default with { Name = definition.Options.Name!, NumReplicas = replicas };
                return DeploymentRevisionFactory.Create(settings?.Invoke(spec) ?? spec, definition, code, null, IsolationMode.None);
            }),
        };
    }

    public ControlPlaneSimulation Decide()
    {
        for (var round = 0; round < 8; round++)
        {
            Observed = Observed.WithNodes(
                _nodes.Values.ToImmutableSortedDictionary(node => node.Id, node => node with { Reserved = Reserved(node.Id) }), Now);
            (Desired, Observed, var nextCanary) = CanaryController.Decide(Desired, Observed, Now);
            (Desired, Observed, var nextScaling) = Autoscaler.Decide(Desired, Observed, Now);
            nextScaling = nextCanary < (nextScaling ?? DateTimeOffset.MaxValue) ? nextCanary : nextScaling;
            Plan = Reconciler.Decide(Desired, Observed, Now);
            if (nextScaling < (Plan.NextWakeUp ?? DateTimeOffset.MaxValue))
                Plan = Plan with { NextWakeUp = nextScaling };
            foreach (var action in Plan.Actions)
            {
                CheckRules(action);
                Observed = Observed.WithDispatched(action, Now);
                History.Add(action);
                Dispatch(action);
            }

            if (Plan.Actions.IsEmpty)
                return this;
        }

        throw new InvalidOperationException($"The plans never become empty: {string.Join(", ", Plan.Actions)}");
    }

    private bool IsSettled => Desired.Applications.Values.All(application =>
        !application.IsDeleting
        && Observed.Promoted.GetValueOrDefault(application.Name) == application.Generation
        && application.Requested.Deployments.Values.All(deployment =>
            Observed.ReplicasOf(new(application.Name, deployment.Spec.Name)).Count() == application.TargetOf(deployment).Replicas));

    private ResourceAmounts Reserved(NodeId node) => Observed.Replicas.Values
        .Where(replica => replica.Node == node).Aggregate(ResourceAmounts.None, (sum, replica) => sum.Plus(replica.Demand));

    private static NodeId? NodeOf(ControlAction action) => action switch
    {
        ControlAction.StartReplica start => start.Node,
        ControlAction.StopReplica stop => stop.Node,
        ControlAction.ReconfigureReplica change => change.Node,
        ControlAction.CheckReplicaHealth check => check.Node,
        _ => null,
    };

    private void Dispatch(ControlAction action)
    {
        switch (action)
        {
            case ControlAction.PromoteApplicationRevision promote:
                Desired = Desired.With(Desired.Applications[promote.Application].Promoted());
                break;
            case ControlAction.RemoveApplication remove:
                Desired = Desired.Without(remove.Application);
                break;
            case ControlAction.PublishRouteSnapshot publish:
                _published.Add(publish.Snapshot);
                InFlight.Add(action);
                break;
            default:
                InFlight.Add(action);
                break;
        }
    }

    private void CheckRules(ControlAction action)
    {
        Assert.True(action.Generation > _generation, "Generations grow.");
        _generation = action.Generation;
        Assert.NotEmpty(action.Reason);
        switch (action)
        {
            case ControlAction.StartReplica start:
                Assert.True(_everStarted.Add(start.Replica), "No replica id is used twice.");
                var application = Desired.Applications.GetValueOrDefault(start.Replica.Deployment.Application);
                Assert.True(application is { IsDeleting: false } && !Desired.IsStopping, "Nothing is started that is to be removed.");
                var target = Math.Max(
                    application.Requested.Find(start.Replica.Deployment.Name) is { } requested ? application.TargetOf(requested).Replicas : 0,
                    application.LastGood?.Find(start.Replica.Deployment.Name) is { } lastGood ? application.LastGoodTargetOf(lastGood).Replicas : 0);
                var live = Observed.ReplicasOf(start.Replica.Deployment).Count(replica => replica.IsLive);
                var size = start.Deployment.Spec.Gang?.GangSize ?? 1;
                Assert.True(live + 1 <= target + (Math.Max(1, target / 5 / size) * size), "Never more than target and surge.");
                Assert.InRange(start.Place.Rank, 0, Math.Max(0, target - 1));
                var node = Observed.Nodes[start.Node];
                Assert.True(node.Phase == NodePhase.Ready, "Replicas are placed on ready nodes only.");
                if (node.Total is { } total)
                    Assert.True(ResourceAmounts.Of(start.Deployment.Spec.Resources).FitsIn(total.Minus(Reserved(start.Node))), "Nothing is started without resources.");
                break;
            case ControlAction.StopReplica stop:
                var replica = Observed.Replicas[stop.Replica.ToString()];
                Assert.True(replica.Phase != ReplicaPhase.Stopping || replica.InFlight is null, "Nothing is stopped twice.");
                if (replica.Phase == ReplicaPhase.Running)
                {
                    // A snapshot that any reachable node may still use must not contain the replica.
                    var oldest = Observed.Nodes.Values.Where(view => view.IsReachable)
                        .Select(view => Observed.Routes.Acknowledged.GetValueOrDefault(view.Id)).DefaultIfEmpty(Observed.Routes.Newest.Version).Min();
                    var used = _published.Where(snapshot => snapshot.Version >= oldest);
                    Assert.DoesNotContain(used.SelectMany(snapshot => snapshot.Deployments).SelectMany(route => route.Replicas), route => route.ReplicaId == stop.Replica.ToString());
                }

                break;
            case ControlAction.PublishRouteSnapshot publish:
                Assert.Equal(new SnapshotVersion(Observed.Epoch, Observed.Routes.Newest.Version.Number + 1), publish.Snapshot.Version);
                break;
        }
    }
}
