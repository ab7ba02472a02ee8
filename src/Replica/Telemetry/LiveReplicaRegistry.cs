using System.Collections.Concurrent;

namespace Serve.Replica.Telemetry;

/// <summary>The replicas of this process whose values are copied when a scrape asks. Prometheus' registry can be told once and never untold.</summary>
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
