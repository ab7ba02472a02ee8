using System.Net;
using Grpc.Core;

namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>Triton's extension_model_repository.md: "Index", "Load" and "Unload".</summary>
public sealed class ModelRepositoryTests(InferenceTestNode node) : SpecificationChapter(node)
{
    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Index_EveryModel_HasNameVersionStateAndReason(ProtocolTransport transport)
    {
        var index = await By(transport).IndexAsync();
        foreach (var model in new[] { "attention", "digits", "text", "types" })
            Assert.Contains($"{model} 1 READY ", index);
    }

    [Fact]
    public async Task Rest_Index_EmptyBody_ListsEveryModel() => Assert.Contains(
        (await Node.PostAsync("/v2/repository/index", "")).AsArray(), each => each!.ToJsonString() == """{"name":"digits","version":"1","state":"READY","reason":""}""");

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"ready":1}""")]
    public async Task Rest_Index_InvalidBody_Returns400(string body) =>
        Assert.NotEmpty((string)(await Node.PostAsync("/v2/repository/index", body, HttpStatusCode.BadRequest))["error"]!);

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task UnloadThenLoad_Model_IsUnavailableThenReady(ProtocolTransport transport)
    {
        await DeployAsync("spare");

        await By(transport).UnloadAsync("spare");
        Assert.False(await By(transport).IsModelReadyAsync("spare"));
        await RefusedAsync(StatusCode.Unavailable, "scaled to 0 replicas", () => By(transport).InferAsync("spare", [Pixels]));
        Assert.Contains("spare  UNAVAILABLE unloaded", await By(transport).IndexAsync());
        Assert.Contains("spare  UNAVAILABLE unloaded", await By(transport).IndexAsync(ready: false));
        Assert.DoesNotContain(await By(transport).IndexAsync(ready: true), each => each.StartsWith("spare", StringComparison.Ordinal));
        Assert.True(await By(transport).IsReadyAsync());

        await By(transport).LoadAsync("spare");
        Assert.Contains("spare 1 READY ", await By(transport).IndexAsync(ready: true));
        Assert.Equal("[3]", (await By(transport).InferAsync("spare", [Pixels], ["label"])).Outputs.Single().Data);
    }

    [Fact]
    public async Task Load_ScaledModel_RestoresReplicas()
    {
        await DeployAsync("several");
        await Node.Node.Admin.ScaleAsync(new("several", "several"), 2);

        // A loaded model and an unloaded one.
        await By(ProtocolTransport.Rest).LoadAsync("several");
        Assert.Equal(2, await WantedAsync());
        await By(ProtocolTransport.Rest).UnloadAsync("several");
        Assert.Equal(0, await WantedAsync());
        await By(ProtocolTransport.Rest).LoadAsync("several");
        Assert.Equal(2, await WantedAsync());

        async Task<int> WantedAsync() => (await Node.Node.Admin.GetApplicationAsync("several")).Deployments["several"].TargetNumReplicas;
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Load_AlreadyLoaded_ReloadsFile(ProtocolTransport transport)
    {
        await DeployAsync("changing");
        File.Copy(InferenceTestNode.Model("text.onnx"), Node.Node.Scratch.In("changing.onnx"), overwrite: true);

        await By(transport).LoadAsync("changing");

        Assert.Equal("word BYTES [-1]", (await By(transport).DescribeAsync("changing")).Inputs[0]);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Load_InvalidFile_FailsAndKeepsPreviousModel(ProtocolTransport transport)
    {
        await DeployAsync("breaking");
        await File.WriteAllTextAsync(Node.Node.Scratch.In("breaking.onnx"), "not a model");

        await RefusedAsync(StatusCode.InvalidArgument, "The model 'breaking' could not be loaded:", () => By(transport).LoadAsync("breaking"));

        Assert.Equal("[3]", (await By(transport).InferAsync("breaking", [Pixels], ["label"])).Outputs.Single().Data);
    }

    [Theory]
    [InlineData(ProtocolTransport.Rest, "config")]
    [InlineData(ProtocolTransport.Rest, "file:1/model.onnx")]
    [InlineData(ProtocolTransport.Rpc, "config")]
    [InlineData(ProtocolTransport.Rpc, "file:1/model.onnx")]
    public async Task Load_ReplacingParameters_InvalidArgument(ProtocolTransport transport, string parameter) => await RefusedAsync(
        StatusCode.InvalidArgument, $"The parameter '{parameter}' is not supported", () => By(transport).LoadAsync("digits", new Dictionary<string, string> { [parameter] = "{}" }));

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Load_OtherParameters_AreAccepted(ProtocolTransport transport) =>
        await By(transport).LoadAsync("digits", new Dictionary<string, string> { ["custom"] = "a" });

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"parameters":[]}""")]
    public async Task Rest_Load_InvalidBody_Returns400(string body) =>
        Assert.NotEmpty((string)(await Node.PostAsync("/v2/repository/models/digits/load", body, HttpStatusCode.BadRequest))["error"]!);

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Unload_Dependents_IsAccepted(ProtocolTransport transport)
    {
        await DeployAsync("spare");
        await By(transport).UnloadAsync("spare", dependents: true);
        Assert.False(await By(transport).IsModelReadyAsync("spare"));
        await By(transport).LoadAsync("spare");
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task UnknownModel_NotFound(ProtocolTransport transport)
    {
        await RefusedAsync(StatusCode.NotFound, "Unknown model 'nothing'", () => By(transport).LoadAsync("nothing"));
        await RefusedAsync(StatusCode.NotFound, "Unknown model 'nothing'", () => By(transport).UnloadAsync("nothing"));
    }

    [Fact]
    public async Task Grpc_RepositoryName_MustBeEmpty()
    {
        foreach (var call in new Func<Task>[]
        {
            async () => await Node.Rpc.RepositoryIndexAsync(new() { RepositoryName = "other" }),
            async () => await Node.Rpc.RepositoryModelLoadAsync(new() { RepositoryName = "other", ModelName = "digits" }),
            async () => await Node.Rpc.RepositoryModelUnloadAsync(new() { RepositoryName = "other", ModelName = "digits" }),
        })
        {
            var error = await Assert.ThrowsAsync<RpcException>(call);
            Assert.Equal((StatusCode.InvalidArgument, "Unknown repository 'other'. The only repository has no name; leave repository_name empty."), (error.StatusCode, error.Status.Detail));
        }
    }

    [Theory]
    [InlineData("load")]
    [InlineData("unload")]
    public async Task Rest_FromOtherSite_Returns403(string what)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v2/repository/models/nothing/{what}") { Headers = { { "Sec-Fetch-Site", "cross-site" } } };
        using var response = await Node.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Theory]
    [InlineData("load")]
    [InlineData("unload")]
    public async Task Grpc_FromOtherSite_PermissionDenied(string what)
    {
        var metadata = new Grpc.Core.Metadata { { "sec-fetch-site", "cross-site" } };
        var error = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            if (what == "load")
                await Node.Rpc.RepositoryModelLoadAsync(new() { ModelName = "nothing" }, metadata);
            else
                await Node.Rpc.RepositoryModelUnloadAsync(new() { ModelName = "nothing" }, metadata);
        });
        Assert.Equal(StatusCode.PermissionDenied, error.StatusCode);
    }
}
