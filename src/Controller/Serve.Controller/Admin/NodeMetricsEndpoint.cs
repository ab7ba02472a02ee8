using System.Text;
using Microsoft.AspNetCore.Http;
using Prometheus;
using Serve.Nodes;

namespace Serve.Controller;

/// <summary>The node's own metrics and its workers', as one Prometheus text.</summary>
internal static class NodeMetricsEndpoint
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public static async Task HandleAsync(HttpContext context, CollectorRegistry registry, INodeAgent runtime, TimeProvider time, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        IReadOnlyList<string> workers;
        try
        {
            workers = await runtime.CollectMetricsAsync(either.Token);
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
