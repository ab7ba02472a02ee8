using System.Collections.Concurrent;
using Prometheus;

namespace Serve.Routing;

/// <summary>
/// Queue metrics of one deployment. The router counts; the counts are copied when the metrics are scraped, so that the fast path pays for one increment.
/// Only requests that waited are observed individually. The label sets are removed with the deployment.
/// </summary>
internal sealed class DeploymentRouterMetrics : IDisposable
{
    private static readonly string[] Labels = ["application", "deployment"];
    private static readonly ConcurrentDictionary<DeploymentRouterMetrics, byte> Live = new();

    private static readonly Gauge QueuedQueries = Prometheus.Metrics.CreateGauge(
        "serve_deployment_queued_queries", "Requests that wait in this process for a replica.", Labels);

    private static readonly Gauge SchedulingTasks = Prometheus.Metrics.CreateGauge(
        "serve_num_scheduling_tasks", "Requests that this process is assigning to replicas now.", Labels);

    private static readonly Counter RouterRequests = Prometheus.Metrics.CreateCounter(
        "serve_num_router_requests_total", "Requests that this process has assigned to a replica.", Labels);

    private static readonly Histogram FulfillmentTime = Prometheus.Metrics.CreateHistogram(
        "serve_request_router_fulfillment_time_ms", "Milliseconds from a request's arrival to its assignment to a replica.",
        Labels, new HistogramConfiguration { Buckets = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 60000] });

    private readonly Lock _sync = new();
    private readonly DeploymentRouter _router;
    private readonly string[] _labels;
    private readonly Gauge.Child _queued;
    private readonly Gauge.Child _scheduling;
    private readonly Counter.Child _requests;
    private readonly Histogram.Child _fulfillment;
    private long _copied;
    private bool _isRemoved;

    // A registry's callbacks cannot be removed, so there is one for all routers.
    static DeploymentRouterMetrics() => Prometheus.Metrics.DefaultRegistry.AddBeforeCollectCallback(static () =>
    {
        foreach (var (metrics, _) in Live)
            metrics.Copy();
    });

    public DeploymentRouterMetrics(DeploymentRouter router)
    {
        _router = router;
        _labels = [router.Id.Application, router.Id.Name];
        _queued = QueuedQueries.WithLabels(_labels);
        _scheduling = SchedulingTasks.WithLabels(_labels);
        _requests = RouterRequests.WithLabels(_labels);
        _fulfillment = FulfillmentTime.WithLabels(_labels);
        Live[this] = 0;
    }

    /// <summary>Records a request that was assigned after waiting.</summary>
    public void ObserveWait(TimeSpan wait)
    {
        _requests.Inc();
        _fulfillment.Observe(wait.TotalMilliseconds);
    }

    public void Dispose()
    {
        Live.TryRemove(this, out _);
        lock (_sync)
        {
            _isRemoved = true;
            QueuedQueries.RemoveLabelled(_labels);
            SchedulingTasks.RemoveLabelled(_labels);
            RouterRequests.RemoveLabelled(_labels);
            FulfillmentTime.RemoveLabelled(_labels);
        }
    }

    private void Copy()
    {
        lock (_sync)
        {
            if (_isRemoved)
                return;
            var immediate = _router.Immediate;
            if (immediate > _copied)
            {
                _requests.Inc(immediate - _copied);
                _fulfillment.Observe(0, immediate - _copied);
                _copied = immediate;
            }

            var waiting = _router.Queued;
            _queued.Set(waiting);
            _scheduling.Set(waiting);
        }
    }
}
