using Prometheus;

namespace Serve.Routing;

/// <summary>
/// One deployment's queue metrics. Counts are kept by the router and copied when metrics are scraped, so that the fast path pays one
/// increment; only requests that waited are timed one by one.
/// </summary>
internal sealed class RouterMetrics : IDisposable
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

    private readonly DeploymentRouter router;
    private readonly string[] labels;
    private readonly Gauge.Child queued;
    private readonly Gauge.Child scheduling;
    private readonly Counter.Child requests;
    private readonly Histogram.Child fulfillment;
    private long copied;
    private bool removed;

    public RouterMetrics(DeploymentRouter router)
    {
        this.router = router;
        labels = [router.Id.Application, router.Id.Name];
        queued = QueuedQueries.WithLabels(labels);
        scheduling = SchedulingTasks.WithLabels(labels);
        requests = RouterRequests.WithLabels(labels);
        fulfillment = FulfillmentTime.WithLabels(labels);
        ScrapeSources.Add(this);
    }

    /// <summary>Notes a request that was assigned after waiting.</summary>
    /// <param name="wait">How long it waited.</param>
    public void ObserveWait(TimeSpan wait)
    {
        requests.Inc();
        fulfillment.Observe(wait.TotalMilliseconds);
    }

    /// <summary>Brings the exported values up to date.</summary>
    public void Copy()
    {
        lock (labels)
        {
            if (removed)
                return;
            var immediate = router.Immediate;
            if (immediate > copied)
            {
                requests.Inc(immediate - copied);
                fulfillment.Observe(0, immediate - copied);
                copied = immediate;
            }

            var waiting = router.Queued;
            queued.Set(waiting);
            scheduling.Set(waiting);
        }
    }

    public void Dispose()
    {
        Copy();
        lock (labels)
            removed = true;
        ScrapeSources.Remove(this);
        queued.Set(0);
        scheduling.Set(0);
    }
}
