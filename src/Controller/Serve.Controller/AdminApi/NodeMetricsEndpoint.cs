using System.Text;
using Microsoft.AspNetCore.Http;
using Prometheus;
using Serve.Controller.Metrics;
using Serve.Nodes;

namespace Serve.Controller.AdminApi;

/// <summary>Serves the metrics of the node and its workers as one Prometheus text.</summary>
internal static class NodeMetricsEndpoint
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    public static async Task HandleAsync(HttpContext context, CollectorRegistry registry, INodeAgent agent, TimeProvider time, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        IReadOnlyList<string> workers;
        try
        {
            workers = await agent.CollectMetricsAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            workers = [];
        }

        using var own = new MemoryStream();
        await registry.CollectAndExportAsTextAsync(own, cancellationToken);
        var merged = PrometheusTextMerger.Merge(Encoding.UTF8.GetString(own.GetBuffer(), 0, (int)own.Length), workers);
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        await context.Response.WriteAsync(merged, cancellationToken);
    }
}
