using Prometheus;

namespace Serve.Replica.Telemetry;

/// <summary>Metrics of a route of one replica. Labels are resolved once, so that a request only pays for the increments.</summary>
internal sealed class ReplicaRouteMetrics(string[] labels) : IDisposable
{
    private readonly Counter.Child _requests = ReplicaMetricFamilies.Requests.WithLabels(labels);
    private readonly Counter.Child _errors = ReplicaMetricFamilies.Errors.WithLabels(labels);
    private readonly Histogram.Child _latency = ReplicaMetricFamilies.Latency.WithLabels(labels);

    public void Observe(TimeSpan duration, bool failed)
    {
        _requests.Inc();
        _latency.Observe(duration.TotalMilliseconds);
        if (failed)
            _errors.Inc();
    }

    public void Dispose()
    {
        _requests.Remove();
        _errors.Remove();
        _latency.Remove();
    }
}
