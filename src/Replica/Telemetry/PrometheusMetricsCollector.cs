using Prometheus;
using Serve.Runtime.Workers.Connections;

namespace Serve.Replica.Telemetry;

/// <summary>Collects the metrics of this process from Prometheus' default registry, for its node. Holds no state.</summary>
internal sealed class PrometheusMetricsCollector : IProcessMetricsCollector
{
    public async Task<byte[]> CollectAsync(CancellationToken cancellationToken)
    {
        using var text = new MemoryStream();
        await Metrics.DefaultRegistry.CollectAndExportAsTextAsync(text, cancellationToken);
        return text.ToArray();
    }
}
