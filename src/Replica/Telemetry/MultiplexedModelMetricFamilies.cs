using Prometheus;

namespace Serve.Replica.Telemetry;

/// <summary>Metric families of multiplexed models, with the names and buckets of Ray Serve.</summary>
internal static class MultiplexedModelMetricFamilies
{
    public static Counter Requests { get; } = Prometheus.Metrics.CreateCounter(
        "serve_multiplexed_get_model_requests_counter_total", "Number of requests for models of this replica.", ReplicaMetricFamilies.PerReplica, ReplicaMetricFamilies.Plain);

    public static Counter Loads { get; } = Prometheus.Metrics.CreateCounter(
        "serve_multiplexed_models_load_counter_total", "Models that this replica has loaded.", ReplicaMetricFamilies.PerReplica, ReplicaMetricFamilies.Plain);

    public static Counter Unloads { get; } = Prometheus.Metrics.CreateCounter(
        "serve_multiplexed_models_unload_counter_total", "Models that this replica has unloaded.", ReplicaMetricFamilies.PerReplica, ReplicaMetricFamilies.Plain);

    public static Histogram LoadLatency { get; } = Prometheus.Metrics.CreateHistogram(
        "serve_multiplexed_model_load_latency_ms", "Milliseconds that loading a model took.", ReplicaMetricFamilies.PerReplica, ReplicaMetricFamilies.Milliseconds);

    public static Histogram UnloadLatency { get; } = Prometheus.Metrics.CreateHistogram(
        "serve_multiplexed_model_unload_latency_ms", "Milliseconds that unloading a model took.", ReplicaMetricFamilies.PerReplica, ReplicaMetricFamilies.Milliseconds);

    public static Gauge Count { get; } = Prometheus.Metrics.CreateGauge(
        "serve_num_multiplexed_models", "Models that this replica has loaded now.", ReplicaMetricFamilies.PerReplica);

    public static Gauge Registered { get; } = Prometheus.Metrics.CreateGauge(
        "serve_registered_multiplexed_model_id", "1 for each model that this replica has loaded now.", [.. ReplicaMetricFamilies.PerReplica, "model_id"]);
}
