using System.Diagnostics;
using Prometheus;
using Serve.Runtime.Onnx.Sessions;

namespace Serve.Runtime.Onnx.Telemetry;

/// <summary>One session's metrics. Runs are observed as they end; the rest is read when a scrape asks.</summary>
internal sealed class SessionMetrics(string model, string provider) : IDisposable
{
    private readonly Histogram.Child runs = OnnxMetricFamilies.Run.WithLabels(model, provider);
    private SharedSession? followed;

    public (string Model, string Provider) Labels => (model, provider);

    /// <param name="ticks">Of the stopwatch.</param>
    public void Observe(long ticks) => runs.Observe((double)ticks / Stopwatch.Frequency);

    public void ObserveLoad(TimeSpan took) => OnnxMetricFamilies.Load.WithLabels(model, provider).Observe(took.TotalSeconds);

    /// <summary>From now on scrapes read the session.</summary>
    public void Follow(SharedSession session)
    {
        followed = session;
        LiveSessions.Add(session);
    }

    public void Dispose()
    {
        if (followed is not null)
            LiveSessions.Remove(followed);
    }
}
