using System.Collections.Frozen;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Serve.Calls;
using Serve.Routes;
using Serve.Routing.Pickers;
using Serve.Specs;

namespace Serve.Routing;

/// <summary>
/// Routes of this process: the newest snapshot, as routers that keep their counters and queues from one snapshot to the next. <see cref="Apply"/> is the only
/// writer; readers take no lock.
/// </summary>
/// <param name="resolve">Returns the call target of a replica; called once per replica.</param>
/// <param name="time">Clock of back-offs.</param>
/// <param name="pickerClasses">Loads routing policies of applications; null if this process cannot.</param>
/// <param name="log">Receives failures of policies.</param>
public sealed partial class RouteTable(Func<ReplicaRoute, ICallTarget> resolve, TimeProvider? time = null, IPickerClassLoader? pickerClasses = null, ILogger<RouteTable>? log = null)
    : IHandleFactory, IDisposable
{
    private readonly Lock _writing = new();
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Dictionary<NodeId, (SnapshotVersion Version, IReadOnlyDictionary<string, ReplicaModelReport> Reports)> _modelReports = [];
    private readonly Dictionary<NodeId, (SnapshotVersion Version, IReadOnlyDictionary<string, JsonElement> Reports)> _stats = [];
    private readonly ILogger _log = log ?? (ILogger)NullLogger.Instance;
    private readonly Dictionary<(string Application, long Revision), RevisionRequestMeter> _meters = [];
    private volatile DeploymentRouteMap _current = new(RouteSnapshot.Empty, FrozenDictionary<DeploymentId, DeploymentRouter>.Empty, static _ => new());
    private bool _hasSnapshot;

    /// <summary>Raised after a snapshot was applied, on the thread that applied it. May be raised concurrently; read <see cref="Current"/>.</summary>
    public event Action? Applied;

    /// <summary>Raised when a request is queued for a deployment without replicas that is started on request.</summary>
    public event Action<DeploymentId>? WakeUpRequested;

    /// <summary>The clock.</summary>
    internal TimeProvider Time => _time;

    /// <summary>The current snapshot.</summary>
    public DeploymentRouteMap Current => _current;

    /// <summary>Applies a snapshot unless the current one is as new or newer.</summary>
    /// <returns>Whether it was applied.</returns>
    public bool Apply(RouteSnapshot snapshot)
    {
        lock (_writing)
        {
            if (_hasSnapshot && snapshot.Version <= _current.Version)
                return false;
            _hasSnapshot = true;
            var previous = _current;
            var routers = new Dictionary<DeploymentId, DeploymentRouter>();
            foreach (var route in snapshot.Deployments)
            {
                var router = previous.Get(route.Id) ?? new DeploymentRouter(route.Id, _time, id => WakeUpRequested?.Invoke(id));
                router.Update(CreateState(route, router));
                foreach (var (_, reports) in _modelReports.Values)
                    router.ApplyModelReports(reports);
                foreach (var (_, reports) in _stats.Values)
                    router.ApplyStats(reports);
                routers[route.Id] = router;
            }

            _current = new DeploymentRouteMap(snapshot, routers.ToFrozenDictionary(), GetMeter);
            foreach (var ended in _meters.Keys.Except(_current.WithCanary.Select(entry => (entry.Canary!.Route.Application, entry.Canary.Route.Revision))).ToList())
            {
                // A canary without a replica for a moment is routed again, with its counts.
                if (!snapshot.Deployments.Any(route => route.Application == ended.Application))
                    _meters.Remove(ended);
            }

            foreach (var deleted in previous.Routers.Where(router => !routers.ContainsKey(router.Id)))
                Delete(deleted);
        }

        Applied?.Invoke();
        return true;
    }

    /// <summary>Applies the model reports of one node's replicas unless those applied before are as new or newer.</summary>
    /// <param name="node">The node.</param>
    /// <param name="version">Grows with every publication of the node.</param>
    /// <param name="reports">All reports of the node, by replica.</param>
    public void ApplyModelReports(NodeId node, SnapshotVersion version, IReadOnlyDictionary<string, ReplicaModelReport> reports) =>
        Apply(_modelReports, node, version, reports, static (router, reports) => router.ApplyModelReports(reports));

    /// <summary>Applies the routing statistics of one node's replicas unless those applied before are as new or newer.</summary>
    /// <param name="node">The node.</param>
    /// <param name="version">Grows with every publication of the node.</param>
    /// <param name="reports">All statistics of the node, by replica.</param>
    public void ApplyStats(NodeId node, SnapshotVersion version, IReadOnlyDictionary<string, JsonElement> reports) =>
        Apply(_stats, node, version, reports, static (router, reports) => router.ApplyStats(reports));

    /// <inheritdoc/>
    public ICallTarget GetTarget(string deployment, string? application = null) => new RoutedCallTarget(this, deployment, application);

    /// <summary>Returns the call target of a deployment in one revision of its application: calls are not split between the revisions.</summary>
    /// <param name="deployment">Name of the deployment.</param>
    /// <param name="application">Name of the application; for the second revision, <see cref="CanaryName.Of"/> it.</param>
    public ICallTarget GetRevisionTarget(string deployment, string application) => new RoutedCallTarget(this, deployment, application, isSplit: false);

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_writing)
        {
            foreach (var router in _current.Routers)
                router.Dispose();
        }
    }

    private RevisionRequestMeter GetMeter(CanaryRoute route)
    {
        var key = (route.Application, route.Revision);
        return _meters.TryGetValue(key, out var meter) ? meter : _meters[key] = new();
    }

    private static void Delete(DeploymentRouter router)
    {
        // Fails the queued requests, and those whose caller found the router just before the deletion.
        var id = router.Id;
        router.Update(DeploymentRouterState.Empty with { MaxQueued = 0, Failure = () => new NoSuchRouteException($"Deployment {id} has been deleted.") });
        router.Dispose();
    }

    private void Apply<T>(
        Dictionary<NodeId, (SnapshotVersion Version, IReadOnlyDictionary<string, T> Reports)> newest, NodeId node, SnapshotVersion version, IReadOnlyDictionary<string, T> reports,
        Action<DeploymentRouter, IReadOnlyDictionary<string, T>> apply)
    {
        lock (_writing)
        {
            if (newest.TryGetValue(node, out var applied) && version <= applied.Version)
                return;
            newest[node] = (version, reports);
            foreach (var router in _current.Routers)
                apply(router, reports);
        }
    }

    private DeploymentRouterState CreateState(DeploymentRoute route, DeploymentRouter router)
    {
        var known = router.Replicas.ToDictionary(slot => slot.Route.ReplicaId, StringComparer.Ordinal);
        var slots = new ReplicaSlot[route.Replicas.Length];
        for (var i = 0; i < slots.Length; i++)
        {
            var replica = route.Replicas[i];
            if (known.TryGetValue(replica.ReplicaId, out var slot) && slot.Route == replica)
                slot.ResetBackoff();
            else
                slot = new ReplicaSlot(replica, resolve(replica), route.MaxOngoingRequests, _time);
            slot.Limit = route.MaxOngoingRequests;
            slots[i] = slot;
        }

        var previous = router.State;
        var (selector, pickerClass) = previous.Rule == route.Routing && previous.Slots.SequenceEqual(slots)
            ? (previous.Selector, previous.PickerClass)
            : CreateSelector(route, slots, previous);
        return new DeploymentRouterState
        {
            Selector = selector,
            PickerClass = pickerClass,
            Models = router.CreateModelPicker(selector, slots),
            Failure = slots.Length == 0 && route.Unavailable is { } reason
                ? () => new NoReplicaException($"Deployment {route.Id} has no replica: {reason}")
                : null,
            Slots = slots,
            MaxOngoing = route.MaxOngoingRequests,
            MaxQueued = route.MaxQueuedRequests,
            WakesOnRequest = route.WakesOnRequest,
            ReportsLoad = route.ReportsLoad,
            Rule = route.Routing,
            Key = route.Routing.Key is { } key && RoutingKeyExpression.TryParse(key, out var expression, out _) ? expression : null,
        };
    }

    private (PolicyReplicaSelector Selector, PickerClassLease? Class) CreateSelector(DeploymentRoute route, ReplicaSlot[] slots, DeploymentRouterState previous)
    {
        var rule = route.Routing;
        PickerClassLease? pickerClass = null;
        ReplicaPicker picker;
        try
        {
            if (rule.PickerClass is not null)
                pickerClass = previous.Rule == rule && previous.PickerClass is { } loaded ? loaded : pickerClasses?.Load(rule);
            picker = ReplicaPickerFactory.Create(rule, slots, previous.Selector.Picker, pickerClass?.Create);
        }
        catch (Exception error)
        {
            // Code of the application.
            Log.PolicyNotCreated(_log, rule.PickerClass ?? rule.Policy.ToString(), route.Id, error);
            picker = new PowerOfTwoChoicesPicker(slots);
        }

        return (new PolicyReplicaSelector(route.Id, picker, slots, _log), pickerClass);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 9001, Level = LogLevel.Error, Message = "Routing policy {Policy} of {Deployment} cannot be created and is replaced by power_of_two until the replicas change")]
        public static partial void PolicyNotCreated(ILogger logger, string policy, DeploymentId deployment, Exception error);
    }
}
