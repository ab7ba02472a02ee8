using Prometheus;

namespace Serve.Runtime.Onnx.Telemetry;

/// <summary>The metric families of models. A model is named by its file; replicas of one process share its session, so that no replica is named.</summary>
internal static class OnnxMetricFamilies
{
    private static readonly string[] PerSession = ["model", "provider"];

    public static Histogram Load { get; } = Metrics.CreateHistogram(
        "serve_onnx_session_load_seconds", "Seconds that loading a model took, its warm-up included.", PerSession,
        new HistogramConfiguration { Buckets = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300], ExemplarBehavior = ExemplarBehavior.NoExemplars() });

    public static Histogram Run { get; } = Metrics.CreateHistogram(
        "serve_onnx_run_seconds", "Seconds that a run of a model took, without waiting for its turn.", PerSession,
        new HistogramConfiguration
        {
            Buckets = [0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 60],
            ExemplarBehavior = ExemplarBehavior.NoExemplars(),
        });

    public static Gauge Running { get; } = Metrics.CreateGauge("serve_onnx_runs_ongoing", "Runs of a model that are under way.", PerSession);

    public static Gauge Waiting { get; } = Metrics.CreateGauge("serve_onnx_runs_waiting", "Runs of a model that wait for their turn.", PerSession);

    public static Gauge Sessions { get; } = Metrics.CreateGauge("serve_onnx_sessions", "Loaded sessions; equal models of a process share one.", PerSession);

    public static Gauge MemoryTotal { get; } = Metrics.CreateGauge(
        "serve_onnx_session_memory_bytes", "Bytes that a session's arena has taken from the system, where ONNX Runtime tells.", PerSession);

    public static Gauge MemoryUsed { get; } = Metrics.CreateGauge(
        "serve_onnx_session_memory_used_bytes", "Bytes of a session's arena that tensors use, where ONNX Runtime tells.", PerSession);
}
