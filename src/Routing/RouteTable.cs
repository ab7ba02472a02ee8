using System.Collections.Frozen;
using Serve.Calls;
using Serve.Routes;

namespace Serve.Routing;

/// <summary>
/// Where everything is, as this process knows it: the newest snapshot, turned into routers that keep their counters and queues from one
/// snapshot to the next. <see cref="Apply"/> is the one writer; readers never lock.
/// </summary>
/// <param name="resolve">Turns a replica into something to call; asked once per replica.</param>
/// <param name="time">The clock of back-offs.</param>
public sealed class RouteTable(Func<ReplicaRoute, ICallTarget> resolve, TimeProvider? time = null) : IHandleFactory, IDisposable
{
    private readonly Lock _writing = new();
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private volatile DeploymentRouteMap _current = new(RouteSnapshot.Empty, FrozenDictionary<DeploymentId, DeploymentRouter>.Empty);
    private IReadOnlyDictionary<string, ReplicaModelReport> _reports = FrozenDictionary<string, ReplicaModelReport>.Empty;
    private long _reportsVersion;
    private bool _started;

    /// <summary>Raised after a snapshot has come into force, on the thread that applied it. Several may run at once; look at <see cref="Current"/>.</summary>
    public event Action? Applied;

    /// <summary>The snapshot in force.</summary>
    public DeploymentRouteMap Current => _current;

    /// <summary>Brings a snapshot into force unless one as new or newer already is.</summary>
    /// <param name="snapshot">The snapshot.</param>
    /// <returns>Whether it was newer.</returns>
    public bool Apply(RouteSnapshot snapshot)
    {
        lock (_writing)
        {
            if (_started && snapshot.Version <= _current.Version)
                return false;
            _started = true;
            var previous = _current;
            var routers = new Dictionary<DeploymentId, DeploymentRouter>();
            foreach (var route in snapshot.Deployments)
            {
                var router = previous.Get(route.Id) ?? new DeploymentRouter(route.Id, _time);
                router.Update(CreateState(route, router));
                router.ApplyModelReports(_reports);
                routers[route.Id] = router;
            }

            _current = new DeploymentRouteMap(snapshot, routers.ToFrozenDictionary());
            foreach (var gone in previous.Routers.Where(router => !routers.ContainsKey(router.Id)))
                Delete(gone);
        }

        Applied?.Invoke();
        return true;
    }

    /// <summary>Takes what replicas say of their models, unless something as new or newer was taken before.</summary>
    /// <param name="version">Grows with every publication of a node.</param>
    /// <param name="models">All reports, by replica.</param>
    public void ApplyModelReports(long version, IReadOnlyDictionary<string, ReplicaModelReport> models)
    {
        lock (_writing)
        {
            if (version <= _reportsVersion)
                return;
            (_reportsVersion, _reports) = (version, models);
            foreach (var router in _current.Routers)
                router.ApplyModelReports(models);
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
        // Whoever waits, or found the router just before it went, is told.
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
        return new DeploymentRouterState(picker, models, slots, route.MaxOngoingRequests, route.MaxQueuedRequests);
    }
}
