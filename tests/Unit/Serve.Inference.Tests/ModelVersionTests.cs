using System.Net;
using System.Text.Json.Nodes;
using Serve.Inference.Models;

namespace Serve.Inference.Tests;

/// <summary>Versions, metadata, readiness, statistics and reconfiguration.</summary>
public sealed class ModelVersionTests
{
    private const string Request = """{"inputs":[{"name":"x","shape":[3,2],"datatype":"FP32","data":[1,2,3,4,5,6]}]}""";

    [Fact]
    public async Task Version_NotGiven_SelectsHighestNumber()
    {
        await using var host = await StartAsync();
        Assert.Equal("10", (string?)(await host.InferAsync(Request))["model_version"]);
        Assert.Equal("2", (string?)(await host.InferAsync(Request, path: "/versions/2/infer"))["model_version"]);
        Assert.Equal("""["2","10"]""", (await host.GetAsync("/"))["versions"]!.ToJsonString());
    }

    [Theory]
    [InlineData("/versions/3")]
    [InlineData("/versions/3/ready")]
    [InlineData("/versions/3/stats")]
    [InlineData("/versions/3/config")]
    public async Task Version_Unknown_Returns404(string path)
    {
        await using var host = await StartAsync();
        var answer = await host.GetAsync(path, HttpStatusCode.NotFound);
        Assert.Equal("The model has no version '3'. Available versions: 2, 10.", (string?)answer["error"]);
        Assert.Equal("The model has no version '3'. Available versions: 2, 10.", await host.RefusedAsync(Request, HttpStatusCode.NotFound, "/versions/3/infer"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/versions/2")]
    public async Task Metadata_Model_DescribesInputsAndOutputs(string version)
    {
        await using var host = await StartAsync();
        var answer = await host.GetAsync(version);
        Assert.Equal("fake", (string?)answer["name"]);
        Assert.Equal("onnx_onnxv1", (string?)answer["platform"]);
        Assert.Equal("""[{"name":"x","datatype":"FP32","shape":[-1,2]}]""", answer["inputs"]!.ToJsonString());
        Assert.Equal("""[{"name":"x_out","datatype":"FP32","shape":[-1,2]}]""", answer["outputs"]!.ToJsonString());
        Assert.Equal("fake", (string?)answer["properties"]!["execution_provider"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/versions/2")]
    public async Task Config_Batching_OmitsBatchDimension(string version)
    {
        await using var host = await StartAsync();
        // The fake has no file, so nothing is proven of its rows.
        host.Server.Batching.Read(JsonNode.Parse("""{"enabled":true}"""))();
        Assert.Equal(
            """{"name":"fake","platform":"onnxruntime_onnx","backend":"onnxruntime","max_batch_size":32,"input":[{"name":"x","data_type":"TYPE_FP32","dims":[2]}],"output":[{"name":"x_out","data_type":"TYPE_FP32","dims":[2]}],"dynamic_batching":{"max_queue_delay_microseconds":10000},"default_model_filename":"model.onnx"}""",
            (await host.GetAsync(version + "/config")).ToJsonString());
    }

    [Theory]
    [InlineData(true, 2, "[2]")]
    [InlineData(false, -1, "[-1]")]
    public async Task Config_NoBatching_HasWholeShapes(bool enabled, long length, string dims)
    {
        using var model = new FakeOnnxModel("m", FakeOnnxModel.Spec("text", TensorType.String, length));
        await using var host = await ModelServerTestHost.StartAsync(model);
        host.Server.Batching.Read(JsonNode.Parse($$"""{"enabled":{{(enabled ? "true" : "false")}}}"""))();
        Assert.Equal(
            $$"""{"name":"fake","platform":"onnxruntime_onnx","backend":"onnxruntime","max_batch_size":0,"input":[{"name":"text","data_type":"TYPE_STRING","dims":{{dims}}}],"output":[{"name":"text_out","data_type":"TYPE_STRING","dims":{{dims}}}],"default_model_filename":"model.onnx"}""",
            (await host.GetAsync("/config")).ToJsonString());
    }

    [Theory]
    [InlineData("/ready")]
    [InlineData("/versions/10/ready")]
    public async Task Ready_Loaded_ReturnsName(string path)
    {
        await using var host = await StartAsync();
        Assert.Equal("""{"name":"fake","ready":true}""", (await host.GetAsync(path)).ToJsonString());
    }

    [Fact]
    public async Task Path_Unknown_Returns404()
    {
        await using var host = await StartAsync();
        Assert.StartsWith("No endpoint for GET '/v2/models/fake/infer'.", (string?)(await host.GetAsync("/infer", HttpStatusCode.NotFound))["error"], StringComparison.Ordinal);
        Assert.StartsWith("No endpoint for GET '/v2/models/fake/x'.", (string?)(await host.GetAsync("/x", HttpStatusCode.NotFound))["error"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Statistics_Requests_AreCountedByVersion()
    {
        await using var host = await StartAsync();
        await host.InferAsync(Request);
        await host.InferAsync(Request);
        await host.InferAsync("{}", HttpStatusCode.BadRequest);

        var all = (await host.GetAsync("/stats"))["model_stats"]!.AsArray();
        var (two, ten) = (all[0]!, all[1]!);
        Assert.Equal("2 10", $"{two["version"]} {ten["version"]}");
        Assert.Equal("0 0 0", $"{two["inference_count"]} {two["execution_count"]} {two["last_inference"]}");
        Assert.Equal("6 2", $"{ten["inference_count"]} {ten["execution_count"]}");
        Assert.Equal("2 1 2", $"{ten["inference_stats"]!["success"]!["count"]} {ten["inference_stats"]!["fail"]!["count"]} {ten["inference_stats"]!["compute_infer"]!["count"]}");
        Assert.True((long)ten["inference_stats"]!["success"]!["ns"]! >= (long)ten["inference_stats"]!["compute_infer"]!["ns"]!);
        Assert.Equal("3 2", $"{ten["batch_stats"]![0]!["batch_size"]} {ten["batch_stats"]![0]!["compute_infer"]!["count"]}");
        Assert.InRange((long)ten["last_inference"]!, DateTimeOffset.UtcNow.AddMinutes(-1).ToUnixTimeMilliseconds(), DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        Assert.Single((await host.GetAsync("/versions/2/stats"))["model_stats"]!.AsArray());
    }

    [Fact]
    public async Task Config_Versions_LoadsOnlyThose()
    {
        await using var host = await StartAsync(new() { Versions = [2], IntraOpThreads = 3, ExecutionProvider = "cpu" });
        Assert.Equal("""["2"]""", (await host.GetAsync("/"))["versions"]!.ToJsonString());
        var options = Assert.Single(host.Loads);
        Assert.Equal((3, "cpu", 1), (options.IntraOpThreads, options.ExecutionProvider, options.WarmUpRuns));

        var error = await Assert.ThrowsAsync<BadInputException>(() => host.Server.Reconfigure(new() { Versions = [7] }, CancellationToken.None));
        Assert.Equal("user_config.versions: unknown version 7. Available versions: 2, 10.", error.Message);
        await host.InferAsync(Request);
    }

    [Fact]
    public async Task Reconfigure_UnderLoad_NoRequestFails()
    {
        List<FakeOnnxModel> made = [];
        await using var host = await ModelServerTestHost.StartAsync(new Dictionary<string, Func<OnnxModel>>
        {
            ["1"] = () =>
            {
                made.Add(new("x.onnx", FakeOnnxModel.Spec("x", TensorType.Float32, -1, 2)));
                return made[^1];
            },
        });
        using var stop = new CancellationTokenSource();
        var load = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
                await host.InferAsync(Request);
        })).ToArray();
        for (var threads = 1; threads <= 20; threads++)
        {
            await host.Server.Reconfigure(new() { IntraOpThreads = threads }, CancellationToken.None);
            await host.InferAsync(Request);
        }

        await stop.CancelAsync();
        await Task.WhenAll(load);
        Assert.Equal(21, made.Count);
        Assert.All(made[..^1], model => Assert.True(model.IsDisposed));
        Assert.False(made[^1].IsDisposed);
        Assert.True((long)(await host.GetAsync("/stats"))["model_stats"]![0]!["execution_count"]! > 0);
    }

    private static Task<ModelServerTestHost> StartAsync(ModelUserConfig? config = null) => ModelServerTestHost.StartAsync(
        new Dictionary<string, Func<OnnxModel>>
        {
            ["10"] = () => new FakeOnnxModel("ten", FakeOnnxModel.Spec("x", TensorType.Float32, -1, 2)),
            ["2"] = () => new FakeOnnxModel("two", FakeOnnxModel.Spec("x", TensorType.Float32, -1, 2)),
        },
        config);
}
