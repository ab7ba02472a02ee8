using Serve.Runtime;

namespace Serve.Replica.Telemetry;

/// <summary>One replica's metrics, with Ray Serve's names. Its children are made when the replica starts and removed when it is gone.</summary>
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
        this._gate = gate;
        _calls = ForRoute(CallRoute);
        LiveReplicaRegistry.Add(this);
    }

    /// <summary>The metrics of one route, made once.</summary>
    public ReplicaRouteMetrics ForRoute(string route)
    {
        lock (_guard)
        {
            if (!_routes.TryGetValue(route, out var found))
                _routes[route] = found = new ReplicaRouteMetrics([.. _labels, route]);
            return found;
        }
    }

    /// <summary>The metrics of one batched method, made once.</summary>
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

    // By deployment alone: the replica is gone before anyone could scrape a child of its own.
    public void ObserveShutdown(TimeSpan duration) => ReplicaMetricFamilies.Shutdown.WithLabels(_labels[..2]).Observe(duration.TotalMilliseconds);

    public void OnEnded(string method, TimeSpan duration, Exception? error) => _calls.Observe(duration, error is UserCodeException);

    /// <summary>Copies what is counted elsewhere, when metrics are scraped.</summary>
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
