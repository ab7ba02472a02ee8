using Prometheus;

namespace Serve.Routing;

/// <summary>
/// One deployment's queue metrics. Counts are kept by the router and copied when metrics are scraped, so that the fast path pays one
/// increment; only requests that waited are timed one by one.
/// </summary>
internal sealed class DeploymentRouterMetrics : IDisposable
{
    private static readonly string[] Labels = ["application", "deployment"];

    private static readonly Gauge QueuedQueries = Prometheus.Metrics.CreateGauge(
        "serve_deployment_queued_queries", "Requests that wait in this process for a replica.", Labels);

    private static readonly Gauge SchedulingTasks = Prometheus.Metrics.CreateGauge(
        "serve_num_scheduling_tasks", "Requests that this process is assigning to replicas now.", Labels);

    private static readonly Counter RouterRequests = Prometheus.Metrics.CreateCounter(
        "serve_num_router_requests_total", "Requests that this process has assigned to a replica.", Labels);

    private static readonly Histogram FulfillmentTime = Prometheus.Metrics.CreateHistogram(
        "serve_request_router_fulfillment_time_ms", "Milliseconds from a request's arrival to its assignment to a replica.",
        Labels, new HistogramConfiguration { Buckets = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 60000] });

    private readonly DeploymentRouter _router;
    private readonly string[] _labels;
    private readonly Gauge.Child _queued;
    private readonly Gauge.Child _scheduling;
    private readonly Counter.Child _requests;
    private readonly Histogram.Child _fulfillment;
    private long _copied;
    private bool _removed;

    public DeploymentRouterMetrics(DeploymentRouter router)
    {
        this._router = router;
        _labels = [router.Id.Application, router.Id.Name];
        _queued = QueuedQueries.WithLabels(_labels);
        _scheduling = SchedulingTasks.WithLabels(_labels);
        _requests = RouterRequests.WithLabels(_labels);
        _fulfillment = FulfillmentTime.WithLabels(_labels);
        LiveRouterMetrics.Add(this);
    }

    /// <summary>Notes a request that was assigned after waiting.</summary>
    /// <param name="wait">How long it waited.</param>
    public void ObserveWait(TimeSpan wait)
    {
        _requests.Inc();
        _fulfillment.Observe(wait.TotalMilliseconds);
    }

    /// <summary>Brings the exported values up to date.</summary>
    public void Copy()
    {
        lock (_labels)
        {
            if (_removed)
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

    public void Dispose()
    {
        Copy();
        lock (_labels)
            _removed = true;
        LiveRouterMetrics.Remove(this);
        _queued.Set(0);
        _scheduling.Set(0);
    }
}
