using System.Collections.Concurrent;

namespace Serve.Routing;

/// <summary>The live metrics whose values are copied when a scrape asks for them. Prometheus' registry can only be told once and never untold.</summary>
internal static class LiveRouterMetrics
{
    private static readonly ConcurrentDictionary<DeploymentRouterMetrics, byte> Live = new();

    static LiveRouterMetrics() => Prometheus.Metrics.DefaultRegistry.AddBeforeCollectCallback(static () =>
    {
        foreach (var (source, _) in Live)
            source.Copy();
    });

    public static void Add(DeploymentRouterMetrics source) => Live[source] = 0;

    public static void Remove(DeploymentRouterMetrics source) => Live.TryRemove(source, out _);
}
