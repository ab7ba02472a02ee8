using System.Text;
using System.Text.Json.Nodes;
using Serve.Replica.Telemetry;
using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;

namespace Serve.Replica.Tests.Telemetry;

public sealed class ReplicaMetricsTests
{
    private readonly string _suffix = Guid.NewGuid().ToString("n")[..8];

    private string Labels => $"application=\"shop\",deployment=\"Calculator\",replica=\"shop#Calculator#{_suffix}\"";

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
    public async Task Batches_AreObservedByMethod()
    {
        await using var replica = await StartAsync(typeof(Batched), new() { ["key"] = _suffix });
        var labels = Labels.Replace("Calculator", "Batched", StringComparison.Ordinal) + ",function_name=\"Square\"";
        var waiting = replica.GetAsync("/square/3");
        await Eventually.TrueAsync(() => replica.Context.Gate.Ongoing == 1);
        await Eventually.TrueAsync(() => Scrape().Contains($"serve_batch_queue_length{{{labels}}} 1\n", StringComparison.Ordinal), Scrape);

        await replica.GetAsync("/square/4");
        await waiting;

        // A caller receives its result before its batch is counted.
        await Eventually.TrueAsync(() => Scrape().Contains($"serve_batches_processed_total{{{labels}}} 1\n", StringComparison.Ordinal), Scrape);
        foreach (var line in (string[])["serve_actual_batch_size_sum{0} 2", "serve_batch_utilization_percent_sum{0} 100", "serve_batch_queue_length{0} 0"])
            Assert.Contains(line.Replace("{0}", $"{{{labels}}}", StringComparison.Ordinal) + "\n", Scrape(), StringComparison.Ordinal);

        await replica.DisposeInstanceAsync();
        Assert.DoesNotContain(_suffix, Scrape(), StringComparison.Ordinal);
    }

    [Fact]
    public void Batches_WaitAndExecution_AreMeasuredSeparately()
    {
        using var metrics = new BatchMethodMetrics(["shop", "Waits", _suffix, "Call"]);

        metrics.OnEnded(3, 0.75, TimeSpan.FromMilliseconds(7), TimeSpan.FromMilliseconds(40));

        var labels = $"{{application=\"shop\",deployment=\"Waits\",replica=\"{_suffix}\",function_name=\"Call\"}}";
        foreach (var line in (string[])[
            "serve_batch_wait_time_ms_sum{0} 7", "serve_batch_execution_time_ms_sum{0} 40", "serve_batch_utilization_percent_sum{0} 75", "serve_actual_batch_size_sum{0} 3"])
        {
            Assert.Contains(line.Replace("{0}", labels, StringComparison.Ordinal) + "\n", Scrape(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Models_AreCountedAndNamedWhileTheyAreLoaded()
    {
        await using var replica = await StartAsync(typeof(Models));
        var labels = Labels.Replace("Calculator", "Models", StringComparison.Ordinal);
        foreach (var model in (string[])["a", "b", "a", "c"])
            await replica.GetAsync($"/named/{model}");
        await replica.SendAsync(HttpMethod.Get, "/named/bad");

        // Of two slots, one was used by c, and one was evicted for the missing model.
        var expected = $$"""
            serve_multiplexed_get_model_requests_counter_total{{{labels}}} 5
            serve_multiplexed_models_load_counter_total{{{labels}}} 3
            serve_multiplexed_models_unload_counter_total{{{labels}}} 2
            serve_multiplexed_model_load_latency_ms_count{{{labels}}} 3
            serve_multiplexed_model_unload_latency_ms_count{{{labels}}} 2
            serve_num_multiplexed_models{{{labels}}} 1
            serve_registered_multiplexed_model_id{{{labels}},model_id="c"} 1
            """;
        foreach (var line in expected.Replace("{{", "{", StringComparison.Ordinal).Replace("}}", "}", StringComparison.Ordinal).Split('\n'))
            Assert.Contains(line.TrimEnd('\r') + "\n", Scrape(), StringComparison.Ordinal);
        Assert.DoesNotContain($"serve_registered_multiplexed_model_id{{{labels},model_id=\"a\"}}", Scrape(), StringComparison.Ordinal);

        await replica.DisposeInstanceAsync();
        Assert.DoesNotContain(_suffix, Scrape(), StringComparison.Ordinal);
    }

    [Fact]
    public void Models_OneIdLoadedTwice_CountsTwiceUntilBothAreGone()
    {
        using var metrics = new ReplicaModelMetrics(new ReplicaId(new DeploymentId("shop", "Twice"), _suffix));
        var labels = $"application=\"shop\",deployment=\"Twice\",replica=\"shop#Twice#{_suffix}\"";
        string Number() => Scrape().Split($"serve_num_multiplexed_models{{{labels}}} ")[1].Split('\n')[0];
        bool IsNamed() => Scrape().Contains($"serve_registered_multiplexed_model_id{{{labels},model_id=\"x\"}} 1\n", StringComparison.Ordinal);

        // By another method, or because another load started while an abandoned one continued.
        metrics.ObserveLoad("x", TimeSpan.FromMilliseconds(3));
        metrics.ObserveLoad("x", TimeSpan.FromMilliseconds(4));
        Assert.Equal(("2", true), (Number(), IsNamed()));
        metrics.ObserveUnload("x", TimeSpan.FromMilliseconds(1));
        Assert.Equal(("1", true), (Number(), IsNamed()));
        metrics.ObserveUnload("x", TimeSpan.FromMilliseconds(1));

        Assert.Equal(("0", false), (Number(), IsNamed()));
        Assert.Contains($"serve_multiplexed_model_load_latency_ms_sum{{{labels}}} 7\n", Scrape(), StringComparison.Ordinal);
        Assert.Contains($"serve_multiplexed_model_unload_latency_ms_sum{{{labels}}} 2\n", Scrape(), StringComparison.Ordinal);
    }

    [Fact]
    public void Models_LoadedWhenTheReplicaGoes_AreNotCountedAnyMore()
    {
        var metrics = new ReplicaModelMetrics(new ReplicaId(new DeploymentId("shop", "Gone"), _suffix));
        metrics.ObserveLoad("x", TimeSpan.FromMilliseconds(3));
        Assert.Contains(_suffix, Scrape(), StringComparison.Ordinal);

        metrics.Dispose();
        metrics.ObserveUnload("x", TimeSpan.FromMilliseconds(3));

        Assert.DoesNotContain(_suffix, Scrape(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replica_Disposed_RemovesItsMetrics()
    {
        await using var replica = await StartAsync(typeof(Calculator));
        await replica.GetAsync("/square/3");

        await replica.DisposeInstanceAsync();

        var text = await ScrapeAsync();
        Assert.DoesNotContain(_suffix, text, StringComparison.Ordinal);
        Assert.Contains("serve_replica_shutdown_duration_ms_count{application=\"shop\",deployment=\"Calculator\"}", text, StringComparison.Ordinal);
    }

    private Task<ReplicaTestHost> StartAsync(Type sample, JsonObject? args = null) => ReplicaTestHost.StartAsync(sample, new() { Suffix = _suffix, Args = args });

    private static string Scrape() => ScrapeAsync().GetAwaiter().GetResult();

    private static async Task<string> ScrapeAsync()
    {
        using var text = new MemoryStream();
        await Prometheus.Metrics.DefaultRegistry.CollectAndExportAsTextAsync(text);
        return Encoding.UTF8.GetString(text.ToArray());
    }
}
