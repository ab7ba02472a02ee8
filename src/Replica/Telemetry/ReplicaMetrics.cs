using Serve.Runtime;

namespace Serve.Replica.Telemetry;

/// <summary>Metrics of one replica, with Ray Serve's names. Created when the replica starts, and removed when it stops.</summary>
internal sealed class ReplicaMetrics : IActorCallObserver, IDisposable
{
    private const string CallRoute = "";

    private readonly Dictionary<string, ReplicaRouteMetrics> _routes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, BatchMethodMetrics> _batches = new(StringComparer.Ordinal);
    private readonly Lock _guard = new();
    private readonly string[] _labels;
    private readonly ConcurrencyLimiter _gate;
    private readonly ReplicaRouteMetrics _calls;

    public ReplicaMetrics(ReplicaId replica, ConcurrencyLimiter gate)
    {
        _labels = [replica.Deployment.Application, replica.Deployment.Name, replica.ToString()];
        _gate = gate;
        _calls = ForRoute(CallRoute);
        LiveReplicaRegistry.Add(this);
    }

    /// <summary>Gets or creates the metrics of a route.</summary>
    public ReplicaRouteMetrics ForRoute(string route)
    {
        lock (_guard)
        {
            if (!_routes.TryGetValue(route, out var found))
                _routes[route] = found = new ReplicaRouteMetrics([.. _labels, route]);
            return found;
        }
    }

    /// <summary>Gets or creates the metrics of a batched method.</summary>
    public BatchMethodMetrics ForBatches(string method)
    {
        lock (_guard)
        {
            if (!_batches.TryGetValue(method, out var found))
                _batches[method] = found = new BatchMethodMetrics([.. _labels, method]);
            return found;
        }
    }

    public void ObserveInitialization(TimeSpan duration) => ReplicaMetricFamilies.Initialization.WithLabels(_labels).Observe(duration.TotalMilliseconds);

    public void ObserveReconfigure(TimeSpan duration) => ReplicaMetricFamilies.Reconfigure.WithLabels(_labels).Observe(duration.TotalMilliseconds);

    // Per deployment: metrics of the replica itself would be removed before the next scrape.
    public void ObserveShutdown(TimeSpan duration) => ReplicaMetricFamilies.Shutdown.WithLabels(_labels[..2]).Observe(duration.TotalMilliseconds);

    public void OnEnded(string method, TimeSpan duration, Exception? error) => _calls.Observe(duration, error is UserCodeException);

    /// <summary>Updates gauges when metrics are scraped.</summary>
    public void Copy()
    {
        lock (_guard)
        {
            if (_routes.Count > 0)
                ReplicaMetricFamilies.Processing.WithLabels(_labels).Set(_gate.Ongoing);
            foreach (var method in _batches.Values)
                method.Copy();
        }
    }

    public void Dispose()
    {
        LiveReplicaRegistry.Remove(this);
        lock (_guard)
        {
            foreach (var route in _routes.Values)
                route.Dispose();
            _routes.Clear();
            foreach (var method in _batches.Values)
                method.Dispose();
            _batches.Clear();
            ReplicaMetricFamilies.Processing.RemoveLabelled(_labels);
            ReplicaMetricFamilies.Initialization.RemoveLabelled(_labels);
            ReplicaMetricFamilies.Reconfigure.RemoveLabelled(_labels);
        }
    }
}
