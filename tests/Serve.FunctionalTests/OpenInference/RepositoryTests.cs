using System.Net;

namespace Serve.FunctionalTests.OpenInference;

/// <summary>Triton's model repository and statistics extensions, over both transports.</summary>
[Collection(InferenceCollection.Name)]
public sealed class RepositoryTests(InferenceNode node)
{
    [Fact]
    public async Task Index_EveryModelItsVersionAndState()
    {
        var rest = await node.PostAsync("/v2/repository/index", "");
        Assert.Contains(rest.AsArray(), each => each!.ToJsonString() == """{"name":"digits","version":"1","state":"READY","reason":""}""");
        var rpc = await node.Rpc.RepositoryIndexAsync(new() { Ready = true });
        Assert.Contains(rpc.Models, each => (each.Name, each.Version, each.State) == ("digits", "1", "READY"));
    }

    [Fact]
    public async Task Unload_ThenLoad_NotReadyThenReady()
    {
        File.Copy(InferenceNode.Model("digits.onnx"), node.Node.Scratch.In("spare.onnx"), overwrite: true);
        await node.DeployAsync(node.Node.Scratch.In("spare.onnx"));

        await node.PostAsync("/v2/repository/models/spare/unload", "");
        Assert.Equal("""{"name":"spare","ready":false}""", (await node.GetAsync("/v2/models/spare/ready", HttpStatusCode.ServiceUnavailable)).ToJsonString());
        Assert.False((await node.Rpc.ModelReadyAsync(new() { Name = "spare" })).Ready);
        var answer = await node.PostAsync("/v2/models/spare/infer", Samples.DigitsRequest, HttpStatusCode.ServiceUnavailable);
        Assert.Contains("scaled to 0 replicas", (string)answer["error"]!, StringComparison.Ordinal);
        Assert.Contains((await node.PostAsync("/v2/repository/index", "{}")).AsArray(), each => each!.ToJsonString() == """{"name":"spare","state":"UNAVAILABLE","reason":"unloaded"}""");
        Assert.DoesNotContain((await node.PostAsync("/v2/repository/index", """{"ready":true}""")).AsArray(), each => (string)each!["name"]! == "spare");
        Assert.True((bool)(await node.GetAsync("/v2/health/ready"))["ready"]!);

        await node.Rpc.RepositoryModelLoadAsync(new() { ModelName = "spare" });
        await node.PostAsync("/v2/models/spare/infer", Samples.DigitsRequest);
        Assert.True((await node.Rpc.ModelReadyAsync(new() { Name = "spare" })).Ready);
    }

    [Fact]
    public async Task Load_TheFileHasChanged_TheNewOneAnswers()
    {
        var file = node.Node.Scratch.In("changing.onnx");
        File.Copy(InferenceNode.Model("digits.onnx"), file, overwrite: true);
        await node.DeployAsync(file);
        File.Copy(InferenceNode.Model("text.onnx"), file, overwrite: true);

        await node.PostAsync("/v2/repository/models/changing/load", "");

        Assert.Equal("word", (string?)(await node.GetAsync("/v2/models/changing"))["inputs"]![0]!["name"]);
    }

    [Theory]
    [InlineData("load")]
    [InlineData("unload")]
    public async Task Unknown_404WithError(string what) =>
        Assert.Contains("There is no model 'nothing'", (string)(await node.PostAsync($"/v2/repository/models/nothing/{what}", "", HttpStatusCode.NotFound))["error"]!, StringComparison.Ordinal);

    [Fact]
    public async Task Load_FromAnotherSitesPage_403()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/repository/models/digits/unload") { Headers = { { "Sec-Fetch-Site", "cross-site" } } };
        using var response = await node.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task Statistics_OfAllReplicasTogether()
    {
        File.Copy(InferenceNode.Model("digits.onnx"), node.Node.Scratch.In("counted.onnx"), overwrite: true);
        await node.DeployAsync(node.Node.Scratch.In("counted.onnx"));
        await node.Node.Admin.ScaleAsync(new("counted", "counted"), 3);
        await node.Node.RunningAsync(3, name: "counted");
        for (var request = 0; request < 30; request++)
            await node.PostAsync("/v2/models/counted/infer", Samples.DigitsRequest);
        await node.PostAsync("/v2/models/counted/infer", "{}", HttpStatusCode.BadRequest);

        var found = Assert.Single((await node.GetAsync("/v2/models/counted/stats"))["model_stats"]!.AsArray())!;
        Assert.Equal("counted 1 30 30 1", $"{found["name"]} {found["version"]} {found["inference_count"]} {found["inference_stats"]!["success"]!["count"]} {found["inference_stats"]!["fail"]!["count"]}");
        Assert.Contains((await node.GetAsync("/v2/models/stats"))["model_stats"]!.AsArray(), each => (string)each!["name"]! == "digits");
        var rpc = Assert.Single((await node.Rpc.ModelStatisticsAsync(new() { Name = "counted", Version = "1" })).ModelStats);
        Assert.Equal(30UL, rpc.InferenceStats.Success.Count);
        Assert.True(rpc.InferenceStats.Success.Ns > 0);
    }
}
