using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Serve.Testing;

namespace Serve.FunctionalTests.OpenInference;

/// <summary>Batching of many clients' requests: each receives the response that it would receive alone.</summary>
public sealed class ModelBatchingTests
{
    private const int Clients = 32;
    private const int Pixels = 64;

    [Fact]
    public async Task Infer_ManyClients_ShareRuns()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);
        await DeployAsync(node, "{enabled: false}");
        var requests = Enumerable.Range(0, Clients).Select(Request).ToArray();
        string[] expected = new string[Clients];
        for (var index = 0; index < Clients; index++)
            expected[index] = await InferAsync(node, requests[index]);
        Assert.True(expected.Distinct().Count() > Clients / 2, "the responses differ");
        await AskAllAsync(node, requests, expected);
        Assert.Equal(2L * Clients, (long)(await StatisticsAsync(node))["execution_count"]!);
        Assert.Equal(0, await SumAsync(node, "serve_batches_processed_total"));

        // Applied without a restart, so the counters continue.
        await DeployAsync(node, "{adaptive: false, batch_wait_timeout_s: 0.2}");
        await AskAllAsync(node, requests, expected);

        var statistics = await StatisticsAsync(node);
        var executions = (long)statistics["execution_count"]! - (2 * Clients);
        Assert.InRange(executions, 1, Clients / 2);
        Assert.Equal(3L * Clients, (long)statistics["inference_stats"]!["success"]!["count"]!);
        Assert.Equal(3L * requests.Select((_, index) => Rows(index)).Sum(), (long)statistics["inference_count"]!);
        Assert.Contains(statistics["batch_stats"]!.AsArray(), each => (long)each!["batch_size"]! > 3);

        Assert.Equal(executions, await SumAsync(node, "serve_batches_processed_total"));
        Assert.Equal(executions, await SumAsync(node, "serve_actual_batch_size_count"));
        Assert.Equal(Clients, await SumAsync(node, "serve_actual_batch_size_sum"));
        Assert.Equal(executions, await SumAsync(node, "serve_batch_wait_time_ms_count"));
        Assert.True(await SumAsync(node, "serve_batch_wait_time_ms_sum") > 0);
        Assert.Equal(executions, await SumAsync(node, "serve_batch_execution_time_ms_count"));
        Assert.InRange(await SumAsync(node, "serve_batch_utilization_percent_sum") / executions, 3, 100);
        Assert.Equal(0, await SumAsync(node, "serve_batch_queue_length"));
    }

    [Fact]
    public async Task Infer_ManyClientsRepeatedly_ReceiveTheirOwnResponses()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);
        await DeployAsync(node, "{}");
        var requests = Enumerable.Range(0, Clients).Select(Request).ToArray();
        string[] expected = new string[Clients];
        for (var index = 0; index < Clients; index++)
            expected[index] = await InferAsync(node, requests[index]);

        await Eventually.TrueAsync(
            async () =>
            {
                await AskAllAsync(node, requests, expected);
                return (await StatisticsAsync(node))["batch_stats"]!.AsArray().Any(each => (long)each!["batch_size"]! > 3);
            },
            () => "a run of several requests");
    }

    [Fact]
    public async Task Deploy_UnknownBatchingKey_FailsAndNamesKeys()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);
        var (code, _, errors) = await node.CliAsync("deploy", Config(node, "{max_batchsize: 3, pading: true}"));
        Assert.Equal(1, code);
        Assert.Contains("batching has an unknown key 'pading'. Did you mean 'padding'?", errors, StringComparison.Ordinal);
    }

    private static int Rows(int index) => 1 + (index % 3);

    private static string Request(int index)
    {
        var random = new Random(index);
        var data = string.Join(',', Enumerable.Range(0, Rows(index) * Pixels).Select(_ => random.Next(17)));
        return $$"""{"inputs":[{"name":"pixels","shape":[{{Rows(index)}},{{Pixels}}],"datatype":"FP32","data":[{{data}}]}]}""";
    }

    private static Task AskAllAsync(TestNodeProcess node, string[] requests, string[] expected) => Task.WhenAll(requests.Select(async (request, index) =>
        Assert.Equal(expected[index], await InferAsync(node, request))));

    /// <summary>Labels and probabilities, rounded so that they do not depend on the batch size.</summary>
    private static async Task<string> InferAsync(TestNodeProcess node, string request)
    {
        using var content = new StringContent(request, Encoding.UTF8, "application/json");
        using var response = await node.Gateway.PostAsync("/v2/models/digits/infer", content);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return string.Join(';', JsonNode.Parse(text)!["outputs"]!.AsArray().Select(output =>
            $"{output!["shape"]!.ToJsonString()} {string.Join(',', output["data"]!.AsArray().Select(value => Math.Round((double)value!, 3).ToString(CultureInfo.InvariantCulture)))}"));
    }

    private static async Task<JsonNode> StatisticsAsync(TestNodeProcess node) =>
        JsonNode.Parse(await node.Gateway.GetStringAsync("/v2/models/digits/stats"))!["model_stats"]![0]!;

    private static async Task<double> SumAsync(TestNodeProcess node, string metric)
    {
        return (await node.GetAdminTextAsync("/metrics")).Split('\n')
            .Where(line => line.StartsWith(metric + "{", StringComparison.Ordinal) && line.Contains("function_name=\"infer\"", StringComparison.Ordinal))
            .Sum(line => double.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture));
    }

    private static async Task DeployAsync(TestNodeProcess node, string batching)
    {
        var (code, _, errors) = await node.CliAsync("deploy", Config(node, batching));
        Assert.True(code == 0, errors);
    }

    private static string Config(TestNodeProcess node, string batching) => node.Scratch.Write("config.yaml", $$"""
        applications:
          - name: digits
            import_path: {{InferenceTestNode.Model("digits.onnx")}}
            deployments:
              - name: digits
                user_config:
                  batching: {{batching}}
        """);
}
