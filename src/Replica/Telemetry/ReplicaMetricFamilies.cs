using Prometheus;

namespace Serve.Replica.Telemetry;

/// <summary>The metric families of replicas, named as Ray Serve names them; buckets are Ray's too.</summary>
internal static class ReplicaMetricFamilies
{
    private static readonly string[] PerDeployment = ["application", "deployment"];
    internal static readonly string[] PerReplica = [.. PerDeployment, "replica"];
    private static readonly string[] PerRoute = [.. PerReplica, "route"];

    internal static readonly HistogramConfiguration Milliseconds = new()
    {
        Buckets = [1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500, 1000, 2000, 5000, 10000, 60000, 120000, 300000, 600000],
        // Looking for the current activity with each request is not free, and nobody scrapes exemplars here.
        ExemplarBehavior = ExemplarBehavior.NoExemplars(),
    };

    internal static readonly CounterConfiguration Plain = new() { ExemplarBehavior = ExemplarBehavior.NoExemplars() };

    public static Counter Requests { get; } = Prometheus.Metrics.CreateCounter(
        "serve_deployment_request_counter_total", "Requests and calls that this replica has served. The route is empty for calls by handle.", PerRoute, Plain);

    public static Counter Errors { get; } = Prometheus.Metrics.CreateCounter(
        "serve_deployment_error_counter_total", "Requests and calls in which user code threw.", PerRoute, Plain);

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
}
