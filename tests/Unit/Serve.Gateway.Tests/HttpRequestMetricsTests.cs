using System.Text;

namespace Serve.Gateway.Tests;

public sealed class HttpRequestMetricsTests
{
    [Fact]
    public async Task Requests_SucceededAndFailed_AreCountedByLabels()
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.Deploy("metered", "/metered", "r1").PublishAsync();
        await gateway.Client.GetAsync("/metered");
        await gateway.Client.GetAsync("/metered/again");
        gateway.Local("r1").Http = context =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        await gateway.Client.PostAsync("/metered", null);

        var text = await ScrapeAsync();

        Assert.Contains("serve_num_http_requests_total{route=\"/metered\",application=\"metered\",method=\"GET\",status_code=\"200\"} 2", text, StringComparison.Ordinal);
        Assert.Contains("serve_num_http_error_requests_total{route=\"/metered\",application=\"metered\",method=\"POST\",status_code=\"500\"} 1", text, StringComparison.Ordinal);
        Assert.Contains("serve_num_deployment_http_error_requests_total{route=\"/metered\",application=\"metered\",deployment=\"Main\",method=\"POST\",status_code=\"500\"} 1", text, StringComparison.Ordinal);
        Assert.Contains("serve_http_request_latency_ms_count{route=\"/metered\",application=\"metered\",method=\"GET\",status_code=\"200\"} 2", text, StringComparison.Ordinal);
        Assert.Contains("serve_num_router_requests_total{application=\"metered\",deployment=\"Main\"} 3", text, StringComparison.Ordinal);
        Assert.Contains("serve_deployment_queued_queries{application=\"metered\",deployment=\"Main\"} 0", text, StringComparison.Ordinal);
    }

    private static async Task<string> ScrapeAsync()
    {
        using var stream = new MemoryStream();
        await Prometheus.Metrics.DefaultRegistry.CollectAndExportAsTextAsync(stream);
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
