using Prometheus;

namespace Serve.Runtime.Onnx.Telemetry;

/// <summary>Metric families of models. A model is identified by its file name; the label has no replica, since the replicas of a process share its session.</summary>
internal static class OnnxMetricFamilies
{
    private static readonly string[] PerSession = ["model", "provider"];

    public static Histogram Load { get; } = Metrics.CreateHistogram(
        "serve_onnx_session_load_seconds", "Duration of loading a model in seconds, including its warm-up.", PerSession,
        new HistogramConfiguration { Buckets = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300], ExemplarBehavior = ExemplarBehavior.NoExemplars() });

    public static Histogram Run { get; } = Metrics.CreateHistogram(
        "serve_onnx_run_seconds", "Duration of a run of a model in seconds, without queueing.", PerSession,
        new HistogramConfiguration
        {
            Buckets = [0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 60],
            ExemplarBehavior = ExemplarBehavior.NoExemplars(),
        });

    public static Gauge Running { get; } = Metrics.CreateGauge("serve_onnx_runs_ongoing", "Ongoing runs of a model.", PerSession);

    public static Gauge Waiting { get; } = Metrics.CreateGauge("serve_onnx_runs_waiting", "Queued runs of a model.", PerSession);

    public static Gauge Sessions { get; } = Metrics.CreateGauge("serve_onnx_sessions", "Loaded sessions; equal models of a process share one.", PerSession);

    public static Gauge MemoryTotal { get; } = Metrics.CreateGauge(
        "serve_onnx_session_memory_bytes", "Bytes that the arena of a session has allocated, if ONNX Runtime reports it.", PerSession);

    public static Gauge MemoryUsed { get; } = Metrics.CreateGauge(
        "serve_onnx_session_memory_used_bytes", "Bytes of a session's arena in use by tensors, if ONNX Runtime reports it.", PerSession);
}
