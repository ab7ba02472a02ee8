using System.Collections.Concurrent;

namespace Serve.Replica.Telemetry;

/// <summary>Replicas of this process whose gauges are updated on each scrape. The Prometheus registry cannot remove callbacks, so there is one for all replicas.</summary>
internal static class LiveReplicaRegistry
{
    private static readonly ConcurrentDictionary<ReplicaMetrics, byte> Live = new();

    static LiveReplicaRegistry() => Prometheus.Metrics.DefaultRegistry.AddBeforeCollectCallback(static () =>
    {
        foreach (var (replica, _) in Live)
            replica.Copy();
    });

    public static void Add(ReplicaMetrics replica) => Live[replica] = 0;

    public static void Remove(ReplicaMetrics replica) => Live.TryRemove(replica, out _);
}
