using System.Collections.Concurrent;
using Prometheus;
using Serve.Runtime.Devices;
using Serve.Runtime.Onnx.Sessions;

namespace Serve.Runtime.Onnx.Telemetry;

/// <summary>Sessions of this process whose gauges are updated on each scrape. The Prometheus registry cannot remove callbacks, so there is one for all sessions.</summary>
internal static class LiveSessionRegistry
{
    private static readonly ConcurrentDictionary<SharedOnnxSession, byte> Live = new();
    private static readonly HashSet<(string Model, string Provider)> Exported = [];

    static LiveSessionRegistry()
    {
        Metrics.DefaultRegistry.AddBeforeCollectCallback(Copy);
        GpuDeviceMetrics.Follow(GpuDevices.Shared, Metrics.DefaultRegistry);
    }

    public static void Add(SharedOnnxSession session) => Live[session] = 0;

    public static void Remove(SharedOnnxSession session) => Live.TryRemove(session, out _);

    /// <summary>Updates the gauges. Values of sessions with the same name are added: those of an old and a new version of a file during a rollout.</summary>
    public static void Copy()
    {
        lock (Exported)
        {
            var groups = Live.Keys.ToLookup(session => session.Labels);
            foreach (var labels in Exported.Where(labels => !groups.Contains(labels)).ToList())
            {
                Exported.Remove(labels);
                foreach (var gauge in (Gauge[])[OnnxMetricFamilies.Sessions, OnnxMetricFamilies.Running, OnnxMetricFamilies.Waiting, OnnxMetricFamilies.MemoryTotal, OnnxMetricFamilies.MemoryUsed])
                    gauge.RemoveLabelled(labels.Model, labels.Provider);
            }

            foreach (var group in groups)
                Copy(group);
        }
    }

    private static void Copy(IGrouping<(string Model, string Provider), SharedOnnxSession> group)
    {
        var (model, provider) = group.Key;
        Exported.Add(group.Key);
        OnnxMetricFamilies.Sessions.WithLabels(model, provider).Set(group.Count());
        OnnxMetricFamilies.Running.WithLabels(model, provider).Set(group.Sum(session => session.Runner.Gate.Running));
        OnnxMetricFamilies.Waiting.WithLabels(model, provider).Set(group.Sum(session => session.Runner.Gate.Waiting));
        var arenas = group.Select(session => session.ReadArena()).OfType<SessionArenaStatistics>().ToList();
        if (arenas.Count == 0)
            return;
        OnnxMetricFamilies.MemoryTotal.WithLabels(model, provider).Set(arenas.Sum(arena => arena.Total));
        OnnxMetricFamilies.MemoryUsed.WithLabels(model, provider).Set(arenas.Sum(arena => arena.InUse));
    }
}
