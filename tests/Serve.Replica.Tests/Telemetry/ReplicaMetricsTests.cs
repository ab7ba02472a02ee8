using System.Text;
using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;

namespace Serve.Replica.Tests.Telemetry;

public sealed class ReplicaMetricsTests
{
    private readonly string suffix = Guid.NewGuid().ToString("n")[..8];

    private string Labels => $"application=\"shop\",deployment=\"Calculator\",replica=\"shop#Calculator#{suffix}\"";

    [Fact]
    public async Task Requests_AndErrors_AreCountedByRoute()
    {
        await using var replica = await StartAsync(typeof(Calculator));

        await replica.GetAsync("/square/3");
        await replica.GetAsync("/square/4");
        await replica.SendAsync(HttpMethod.Get, "/square/x");
        await replica.SendAsync(HttpMethod.Get, "/throw");
        await replica.SendAsync(HttpMethod.Get, "/nothing");
        await Eventually.TrueAsync(() => replica.Context.Gate.Ongoing == 0);

        var text = await ScrapeAsync();
        Assert.Contains($"serve_deployment_request_counter_total{{{Labels},route=\"/square/{{x}}\"}} 3\n", text, StringComparison.Ordinal);
        Assert.Contains($"serve_deployment_error_counter_total{{{Labels},route=\"/square/{{x}}\"}} 0\n", text, StringComparison.Ordinal);
        Assert.Contains($"serve_deployment_error_counter_total{{{Labels},route=\"/throw\"}} 1\n", text, StringComparison.Ordinal);
        Assert.Contains($"serve_deployment_processing_latency_ms_count{{{Labels},route=\"/throw\"}} 1\n", text, StringComparison.Ordinal);
        Assert.Contains($"serve_deployment_processing_latency_ms_bucket{{{Labels},route=\"/throw\",le=\"600000\"}} 1\n", text, StringComparison.Ordinal);
        Assert.Contains($"serve_replica_initialization_latency_ms_count{{{Labels}}} 1\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Calls_ByHandle_AreCountedWithoutARoute()
    {
        await using var replica = await StartAsync(typeof(Calculator));

        replica.Instance.Calls!.OnEnded("Square", TimeSpan.FromMilliseconds(3), null);
        replica.Instance.Calls!.OnEnded("Square", TimeSpan.FromMilliseconds(3), new UserCodeException(new InvalidOperationException("x")));

        var text = await ScrapeAsync();
        Assert.Contains($"serve_deployment_request_counter_total{{{Labels},route=\"\"}} 2\n", text, StringComparison.Ordinal);
        Assert.Contains($"serve_deployment_error_counter_total{{{Labels},route=\"\"}} 1\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Processing_IsWhatTheGateHas()
    {
        await using var replica = await StartAsync(typeof(Calculator));

        Assert.True(replica.Context.Gate.TryEnter());
        Assert.Contains($"serve_replica_processing_queries{{{Labels}}} 1\n", await ScrapeAsync(), StringComparison.Ordinal);
        replica.Context.Gate.Exit();
        Assert.Contains($"serve_replica_processing_queries{{{Labels}}} 0\n", await ScrapeAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replica_Gone_TakesItsMetricsWithIt()
    {
        await using var replica = await StartAsync(typeof(Calculator));
        await replica.GetAsync("/square/3");

        await replica.DisposeInstanceAsync();

        var text = await ScrapeAsync();
        Assert.DoesNotContain(suffix, text, StringComparison.Ordinal);
        Assert.Contains("serve_replica_shutdown_duration_ms_count{application=\"shop\",deployment=\"Calculator\"}", text, StringComparison.Ordinal);
    }

    private Task<ReplicaHost> StartAsync(Type sample) => ReplicaHost.StartAsync(sample, new() { Suffix = suffix });

    private static async Task<string> ScrapeAsync()
    {
        using var text = new MemoryStream();
        await Prometheus.Metrics.DefaultRegistry.CollectAndExportAsTextAsync(text);
        return Encoding.UTF8.GetString(text.ToArray());
    }
}
