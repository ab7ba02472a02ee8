using Serve.Runtime;

namespace Serve.Replica.Telemetry;

/// <summary>One replica's metrics, with Ray Serve's names. Its children are made when the replica starts and removed when it is gone.</summary>
internal sealed class ReplicaMetrics : ICallObserver, IDisposable
{
    private const string CallRoute = "";

    private readonly Dictionary<string, RouteMetrics> routes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, BatchMetrics> batches = new(StringComparer.Ordinal);
    private readonly Lock guard = new();
    private readonly string[] labels;
    private readonly ActorGate gate;
    private readonly RouteMetrics calls;

    public ReplicaMetrics(ReplicaId replica, ActorGate gate)
    {
        labels = [replica.Deployment.Application, replica.Deployment.Name, replica.ToString()];
        this.gate = gate;
        calls = ForRoute(CallRoute);
        LiveReplicas.Add(this);
    }

    /// <summary>The metrics of one route, made once.</summary>
    public RouteMetrics ForRoute(string route)
    {
        lock (guard)
        {
            if (!routes.TryGetValue(route, out var found))
                routes[route] = found = new RouteMetrics([.. labels, route]);
            return found;
        }
    }

    /// <summary>The metrics of one batched method, made once.</summary>
    public BatchMetrics ForBatches(string method)
    {
        lock (guard)
        {
            if (!batches.TryGetValue(method, out var found))
                batches[method] = found = new BatchMetrics([.. labels, method]);
            return found;
        }
    }

    public void ObserveInitialization(TimeSpan duration) => ReplicaMetricFamilies.Initialization.WithLabels(labels).Observe(duration.TotalMilliseconds);

    public void ObserveReconfigure(TimeSpan duration) => ReplicaMetricFamilies.Reconfigure.WithLabels(labels).Observe(duration.TotalMilliseconds);

    // By deployment alone: the replica is gone before anyone could scrape a child of its own.
    public void ObserveShutdown(TimeSpan duration) => ReplicaMetricFamilies.Shutdown.WithLabels(labels[..2]).Observe(duration.TotalMilliseconds);

    public void OnEnded(string method, TimeSpan duration, Exception? error) => calls.Observe(duration, error is UserCodeException);

    /// <summary>Copies what is counted elsewhere, when metrics are scraped.</summary>
    public void Copy()
    {
        lock (guard)
        {
            if (routes.Count > 0)
                ReplicaMetricFamilies.Processing.WithLabels(labels).Set(gate.Ongoing);
            foreach (var method in batches.Values)
                method.Copy();
        }
    }

    public void Dispose()
    {
        LiveReplicas.Remove(this);
        lock (guard)
        {
            foreach (var route in routes.Values)
                route.Dispose();
            routes.Clear();
            foreach (var method in batches.Values)
                method.Dispose();
            batches.Clear();
            ReplicaMetricFamilies.Processing.RemoveLabelled(labels);
            ReplicaMetricFamilies.Initialization.RemoveLabelled(labels);
            ReplicaMetricFamilies.Reconfigure.RemoveLabelled(labels);
        }
    }
}
