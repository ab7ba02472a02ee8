using System.Collections.Frozen;
using Serve.Calls;
using Serve.Routes;

namespace Serve.Routing;

/// <summary>
/// Routes of this process: the newest snapshot, as routers that keep their counters and queues from one snapshot to the next. <see cref="Apply"/> is the only
/// writer; readers take no lock.
/// </summary>
/// <param name="resolve">Returns the call target of a replica; called once per replica.</param>
/// <param name="time">Clock of back-offs.</param>
public sealed class RouteTable(Func<ReplicaRoute, ICallTarget> resolve, TimeProvider? time = null) : IHandleFactory, IDisposable
{
    private readonly Lock _writing = new();
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Dictionary<NodeId, (SnapshotVersion Version, IReadOnlyDictionary<string, ReplicaModelReport> Reports)> _modelReports = [];
    private volatile DeploymentRouteMap _current = new(RouteSnapshot.Empty, FrozenDictionary<DeploymentId, DeploymentRouter>.Empty);
    private bool _hasSnapshot;

    /// <summary>Raised after a snapshot was applied, on the thread that applied it. May be raised concurrently; read <see cref="Current"/>.</summary>
    public event Action? Applied;

    /// <summary>Raised when a request is queued for a deployment without replicas that is started on request.</summary>
    public event Action<DeploymentId>? WakeUpRequested;

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
                routers[route.Id] = router;
            }

            _current = new DeploymentRouteMap(snapshot, routers.ToFrozenDictionary());
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
    public void ApplyModelReports(NodeId node, SnapshotVersion version, IReadOnlyDictionary<string, ReplicaModelReport> reports)
    {
        lock (_writing)
        {
            if (_modelReports.TryGetValue(node, out var applied) && version <= applied.Version)
                return;
            _modelReports[node] = (version, reports);
            foreach (var router in _current.Routers)
                router.ApplyModelReports(reports);
        }
    }

    /// <inheritdoc/>
    public ICallTarget GetTarget(string deployment, string? application = null) => new RoutedCallTarget(this, deployment, application);

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_writing)
        {
            foreach (var router in _current.Routers)
                router.Dispose();
        }
    }

    private static void Delete(DeploymentRouter router)
    {
        // Fails the queued requests, and those whose caller found the router just before the deletion.
        var id = router.Id;
        router.Update(new DeploymentRouterState(
            new FailingReplicaPicker(() => new NoSuchRouteException($"Deployment {id} has been deleted.")), null, [], 0, 0));
        router.Dispose();
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
                slot = new ReplicaSlot(replica, resolve(replica));
            slots[i] = slot;
        }

        ReplicaPicker picker = slots.Length == 0 && route.Unavailable is { } reason
            ? new FailingReplicaPicker(() => new NoReplicaException($"Deployment {route.Id} has no replica: {reason}"))
            : new PowerOfTwoChoicesPicker(slots, route.MaxOngoingRequests, _time);
        var models = router.CreateModelPicker(picker, slots, route.MaxOngoingRequests);
        return new DeploymentRouterState(picker, models, slots, route.MaxOngoingRequests, route.MaxQueuedRequests, route.WakesOnRequest, route.ReportsLoad);
    }
}
