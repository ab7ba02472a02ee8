using Prometheus;

namespace Serve.Gateway.Proxy;

/// <summary>Metrics of copies of requests.</summary>
internal static class ShadowMetrics
{
    private static readonly Counter Requests = Prometheus.Metrics.CreateCounter(
        "serve_shadow_requests_total", "Requests selected to be copied: sent, dropped because too many copies were being sent, or skipped because of their body.", "application", "result");

    private static readonly Counter Mismatches = Prometheus.Metrics.CreateCounter(
        "serve_shadow_status_mismatches_total", "Copies that were answered with another status than the request.", "application");

    private static readonly Histogram Latency = Prometheus.Metrics.CreateHistogram(
        "serve_shadow_latency_ms", "Milliseconds until requests and their copies were answered.", ["application", "role"],
        new HistogramConfiguration { Buckets = [1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500, 1000, 2000, 5000, 10000, 60000] });

    /// <summary>Counts a request that was selected to be copied.</summary>
    /// <param name="application">The application.</param>
    /// <param name="result"><c>sent</c>, <c>dropped</c> or <c>skipped</c>.</param>
    public static void Count(string application, string result) => Requests.WithLabels(application, result).Inc();

    /// <summary>Compares an answered copy with its request.</summary>
    /// <param name="application">The application.</param>
    /// <param name="primary">Status and duration of the request.</param>
    /// <param name="shadow">Status and duration of the copy.</param>
    public static void Compare(string application, (int Status, TimeSpan Duration) primary, (int Status, TimeSpan Duration) shadow)
    {
        if (primary.Status != shadow.Status)
            Mismatches.WithLabels(application).Inc();
        Latency.WithLabels(application, "stable").Observe(primary.Duration.TotalMilliseconds);
        Latency.WithLabels(application, "shadow").Observe(shadow.Duration.TotalMilliseconds);
    }
}
