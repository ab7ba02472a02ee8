using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Serve.Testing;

namespace Serve.FunctionalTests.OpenInference;

/// <summary>Running, replacing and misusing a model file.</summary>
public sealed class ModelRolloutTests
{
    [Fact]
    public async Task Run_OnnxFile_ServesPrintedUrl()
    {
        using var scratch = new ScratchDirectory();
        await using var process = ServeCliProcess.Start(scratch, "run", InferenceTestNode.Model("digits.onnx"), "--http-port", "0", "--admin-port", "0");
        var line = await process.WaitForLineAsync("digits  1/1 replicas  ");
        Assert.EndsWith("/v2/models/digits/infer     (Open Inference Protocol v2)", line, StringComparison.Ordinal);

        using var client = new HttpClient();
        using var response = await client.PostAsync(line.Split(' ')[0], new StringContent(InferenceSamples.DigitsRequest));
        Assert.Contains("\"data\":[3]", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deploy_FileReplacedUnderLoad_NoRequestFails()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);
        var file = node.Scratch.In("digits.onnx");
        await ReplaceAsync(InferenceTestNode.Model("digits.onnx"), file, 0);
        await DeployAsync(node, file);
        using var stop = new CancellationTokenSource();
        var answered = 0;
        var load = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                using var content = new StringContent(InferenceSamples.DigitsRequest, Encoding.UTF8, "application/json");
                using var response = await node.Gateway.PostAsync("/v2/models/digits/infer", content);
                Assert.True(response.StatusCode == HttpStatusCode.OK, await response.Content.ReadAsStringAsync());
                Interlocked.Increment(ref answered);
            }
        })).ToArray();

        for (var version = 1; version <= 3; version++)
        {
            var (before, code) = (answered, (await node.Admin.GetApplicationAsync("digits")).CodeHash);
            await ReplaceAsync(InferenceTestNode.Model("digits.onnx"), file, version);
            await DeployAsync(node, file);
            Assert.NotEqual(code, (await node.Admin.GetApplicationAsync("digits")).CodeHash);
            await Eventually.TrueAsync(() => Task.FromResult(answered > before + 20), () => "more answers");
        }

        await stop.CancelAsync();
        await Task.WhenAll(load);
    }

    [Fact]
    public async Task Deploy_NotAnOnnxModel_FailsWithRuntimeMessage()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);
        var file = node.Scratch.Write("broken.onnx", "not a model");

        var (code, _, errors) = await node.CliAsync("deploy", file);

        Assert.Equal(1, code);
        Assert.Contains("DEPLOY_FAILED", errors, StringComparison.Ordinal);
        Assert.Contains("rotobuf", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deploy_RoutePrefixOutsideOfProtocol_IsRejected()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);

        var (code, _, errors) = await node.CliAsync("deploy", InferenceTestNode.Model("digits.onnx"), "--route-prefix", "/models/m");

        Assert.Equal(1, code);
        Assert.Contains("Remove route_prefix", Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/models/m", "'/models/m' is not allowed for a model: clients of the Open Inference Protocol expect it at /v2/models/NAME. Remove route_prefix.")]
    [InlineData("/", "'/' is not allowed for a model: clients of the Open Inference Protocol expect it at /v2/models/NAME. Remove route_prefix.")]
    [InlineData("/v2/models/a/b", "'/v2/models/a/b' is not allowed for a model: clients of the Open Inference Protocol expect it at /v2/models/NAME. Remove route_prefix.")]
    [InlineData("/v2/models/digits/", "'/v2/models/digits/' must not end with '/'")]
    public async Task Run_RoutePrefixOutsideOfProtocol_IsRejectedWithoutRemains(string prefix, string why)
    {
        using var scratch = new ScratchDirectory();

        var (code, _, errors) = await ServeCliProcess.RunAsync(
            scratch, ["run", InferenceTestNode.Model("digits.onnx"), "--route-prefix", prefix, "--http-port", "0", "--admin-port", "0"]);

        Assert.Equal(1, code);
        Assert.EndsWith(why, Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_RoutePrefixWithOtherName_NamesModel()
    {
        using var scratch = new ScratchDirectory();
        await using var run = ServeCliProcess.Start(
            scratch, ["run", InferenceTestNode.Model("digits.onnx"), "--name", "app", "--route-prefix", "/v2/models/seven", "--http-port", "0", "--admin-port", "0"]);
        var url = new Uri((await run.WaitForLineAsync("app  1/1 replicas  ")).Split(' ')[0]);
        Assert.EndsWith("/v2/models/seven/infer", url.AbsolutePath, StringComparison.Ordinal);
        using var http = new HttpClient();
        Assert.Equal("seven", (string)JsonNode.Parse(await http.GetStringAsync(new Uri(url, "/v2/models/seven")))!["name"]!);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(new Uri(url, "/v2/models/app"))).StatusCode);
    }

    [Theory]
    [InlineData("missing", "weights.onnx.data")]
    [InlineData("opset", "9999")]
    public async Task Deploy_UnloadableModel_FailsWithReason(string broken, string expected)
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);
        var file = node.Scratch.In("weights.onnx");
        if (broken == "missing")
            ModelMaker.BrokenModels.WriteMissingExternalData(file);
        else
            ModelMaker.BrokenModels.WriteOpsetTooNew(file);

        var (code, _, errors) = await node.CliAsync("deploy", file);

        Assert.Equal(1, code);
        Assert.Contains("DEPLOY_FAILED", errors, StringComparison.Ordinal);
        Assert.Contains(expected, errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deploy_VersionFolder_ServesEachVersion()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);
        foreach (var (version, model) in new[] { ("1", "digits"), ("2", "text") })
        {
            Directory.CreateDirectory(node.Scratch.In($"words/{version}"));
            File.Copy(InferenceTestNode.Model(model + ".onnx"), node.Scratch.In($"words/{version}/model.onnx"));
        }

        await DeployAsync(node, node.Scratch.In("words"));

        Assert.Contains("\"versions\":[\"1\",\"2\"]", await node.Gateway.GetStringAsync("/v2/models/words"), StringComparison.Ordinal);
        Assert.Contains("\"word\"", await node.Gateway.GetStringAsync("/v2/models/words"), StringComparison.Ordinal);
        Assert.Contains("\"pixels\"", await node.Gateway.GetStringAsync("/v2/models/words/versions/1"), StringComparison.Ordinal);
    }

    // A model with another doc_string (field 6), so that its content hash differs.
    private static async Task ReplaceAsync(string model, string file, int version)
    {
        byte[] documentation = Encoding.UTF8.GetBytes($"version {version}");
        await File.WriteAllBytesAsync(file + ".new", [.. await File.ReadAllBytesAsync(model), (6 << 3) | 2, (byte)documentation.Length, .. documentation]);
        File.Move(file + ".new", file, overwrite: true);
    }

    private static async Task DeployAsync(TestNodeProcess node, string target)
    {
        var (code, _, errors) = await node.CliAsync("deploy", target);
        Assert.True(code == 0, errors);
    }
}
