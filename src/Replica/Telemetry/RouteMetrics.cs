using Prometheus;

namespace Serve.Replica.Telemetry;

/// <summary>The children of one replica and route, looked up once so that a request pays for the increments alone.</summary>
internal sealed class RouteMetrics(string[] labels) : IDisposable
{
    private readonly Counter.Child requests = ReplicaMetricFamilies.Requests.WithLabels(labels);
    private readonly Counter.Child errors = ReplicaMetricFamilies.Errors.WithLabels(labels);
    private readonly Histogram.Child latency = ReplicaMetricFamilies.Latency.WithLabels(labels);

    public void Observe(TimeSpan duration, bool failed)
    {
        requests.Inc();
        latency.Observe(duration.TotalMilliseconds);
        if (failed)
            errors.Inc();
    }

    public void Dispose()
    {
        requests.Remove();
        errors.Remove();
        latency.Remove();
    }
}
