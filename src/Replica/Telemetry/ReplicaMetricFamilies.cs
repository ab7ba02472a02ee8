using Prometheus;

namespace Serve.Replica.Telemetry;

/// <summary>Metric families of replicas, with the names and buckets of Ray Serve.</summary>
internal static class ReplicaMetricFamilies
{
    private static readonly string[] PerDeployment = ["application", "deployment"];
    internal static readonly string[] PerReplica = [.. PerDeployment, "replica"];
    private static readonly string[] PerRoute = [.. PerReplica, "route"];
    private static readonly string[] PerMethod = [.. PerReplica, "function_name"];

    internal static readonly HistogramConfiguration Milliseconds = new()
    {
        Buckets = [1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500, 1000, 2000, 5000, 10000, 60000, 120000, 300000, 600000],
        // Exemplars look up the current activity on each request, which costs time; they are not scraped here.
        ExemplarBehavior = ExemplarBehavior.NoExemplars(),
    };

    private static readonly HistogramConfiguration Percent = new()
    {
        Buckets = [5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 99, 100],
        ExemplarBehavior = ExemplarBehavior.NoExemplars(),
    };

    private static readonly HistogramConfiguration Sizes = new()
    {
        Buckets = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
        ExemplarBehavior = ExemplarBehavior.NoExemplars(),
    };

    internal static readonly CounterConfiguration Plain = new() { ExemplarBehavior = ExemplarBehavior.NoExemplars() };

    public static Counter Requests { get; } = Prometheus.Metrics.CreateCounter(
        "serve_deployment_request_counter_total", "Requests and calls that this replica has served. The route is empty for calls by handle.", PerRoute, Plain);

    public static Counter Errors { get; } = Prometheus.Metrics.CreateCounter(
        "serve_deployment_error_counter_total", "Requests and calls that failed with an exception of user code.", PerRoute, Plain);

    public static Histogram Latency { get; } = Prometheus.Metrics.CreateHistogram(
        "serve_deployment_processing_latency_ms", "Milliseconds that requests and calls took in the replica.", PerRoute, Milliseconds);

    public static Gauge Processing { get; } = Prometheus.Metrics.CreateGauge(
        "serve_replica_processing_queries", "Requests and calls that this replica serves now.", PerReplica);

    public static Histogram Initialization { get; } = Prometheus.Metrics.CreateHistogram(
        "serve_replica_initialization_latency_ms", "Milliseconds that the constructor, the first Reconfigure and the first CheckHealth took.", PerReplica, Milliseconds);

    public static Histogram Reconfigure { get; } = Prometheus.Metrics.CreateHistogram(
        "serve_replica_reconfigure_latency_ms", "Milliseconds that Reconfigure took.", PerReplica, Milliseconds);

    public static Histogram Shutdown { get; } = Prometheus.Metrics.CreateHistogram(
        "serve_replica_shutdown_duration_ms", "Milliseconds that disposing a replica took.", PerDeployment, Milliseconds);

    public static Histogram BatchWait { get; } = Prometheus.Metrics.CreateHistogram(
        "serve_batch_wait_time_ms", "Milliseconds that the first item of a batch waited for it to start.", PerMethod, Milliseconds);

    public static Histogram BatchExecution { get; } = Prometheus.Metrics.CreateHistogram(
        "serve_batch_execution_time_ms", "Milliseconds that a batch ran.", PerMethod, Milliseconds);

    public static Gauge BatchQueueLength { get; } = Prometheus.Metrics.CreateGauge(
        "serve_batch_queue_length", "Items that wait for a batch now.", PerMethod);

    public static Histogram BatchUtilization { get; } = Prometheus.Metrics.CreateHistogram(
        "serve_batch_utilization_percent", "Size of batches, in percent of the maximum size.", PerMethod, Percent);

    public static Histogram BatchSize { get; } = Prometheus.Metrics.CreateHistogram(
        "serve_actual_batch_size", "Number of items of batches.", PerMethod, Sizes);

    public static Counter Batches { get; } = Prometheus.Metrics.CreateCounter(
        "serve_batches_processed_total", "Batches that have ended.", PerMethod, Plain);
}
