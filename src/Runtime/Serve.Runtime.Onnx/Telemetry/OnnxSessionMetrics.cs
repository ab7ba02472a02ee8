using System.Diagnostics;
using Prometheus;
using Serve.Runtime.Onnx.Sessions;

namespace Serve.Runtime.Onnx.Telemetry;

/// <summary>Metrics of one session. Runs are observed as they end; gauges are updated on each scrape.</summary>
internal sealed class OnnxSessionMetrics(string model, string provider) : IDisposable
{
    private readonly Histogram.Child _runs = OnnxMetricFamilies.Run.WithLabels(model, provider);
    private SharedOnnxSession? _followed;

    public (string Model, string Provider) Labels => (model, provider);

    /// <param name="ticks">Of the stopwatch.</param>
    public void Observe(long ticks) => _runs.Observe((double)ticks / Stopwatch.Frequency);

    public void ObserveLoad(TimeSpan took) => OnnxMetricFamilies.Load.WithLabels(model, provider).Observe(took.TotalSeconds);

    /// <summary>Updates the gauges of the session on each scrape.</summary>
    public void Follow(SharedOnnxSession session)
    {
        _followed = session;
        LiveSessionRegistry.Add(session);
    }

    public void Dispose()
    {
        if (_followed is not null)
            LiveSessionRegistry.Remove(_followed);
    }
}
