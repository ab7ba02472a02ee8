using System.Net;
using Grpc.Core;

namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>inference_rest.md "Health/Readiness/Liveness Probes", "Model Ready", "Server Ready", "Server Live"; inference_grpc.md "Health".</summary>
public sealed class ServerHealthTests(InferenceTestNode node) : SpecificationChapter(node)
{
    [Theory]
    [MemberData(nameof(Transports))]
    public async Task ServerLive_RequestsCanBeAnswered_True(ProtocolTransport transport) => Assert.True(await By(transport).IsLiveAsync());

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task ServerReady_AllModelsAreReady_True(ProtocolTransport transport) => Assert.True(await By(transport).IsReadyAsync());

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task ServerReady_ModelNotLoaded_FalseButLive(ProtocolTransport transport)
    {
        var file = Node.Node.Scratch.Write("damaged.onnx", "not a model");
        try
        {
            await Node.Node.CliAsync("deploy", file);
            Assert.False(await By(transport).IsReadyAsync());
            Assert.False(await By(transport).IsModelReadyAsync("damaged"));
            Assert.True(await By(transport).IsLiveAsync());
            Assert.True(await By(transport).IsModelReadyAsync("digits"));
        }
        finally
        {
            await Node.Node.Admin.DeleteAsync("damaged");
        }

        await Testing.Eventually.TrueAsync(() => By(transport).IsReadyAsync(), () => "the server to be ready again");
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task ModelReady_WithAndWithoutVersion_True(ProtocolTransport transport)
    {
        Assert.True(await By(transport).IsModelReadyAsync("digits"));
        Assert.True(await By(transport).IsModelReadyAsync("digits", "1"));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task ModelReady_UnknownModelOrVersion_NotFound(ProtocolTransport transport)
    {
        await RefusedAsync(StatusCode.NotFound, "Unknown model 'nothing'", () => By(transport).IsModelReadyAsync("nothing"));
        await RefusedAsync(StatusCode.NotFound, "has no version '9'. Available versions: 1", () => By(transport).IsModelReadyAsync("digits", "9"));
    }

    [Fact]
    public async Task Rest_ModelReady_HasTheNameAndWhetherItIsReady() =>
        Assert.Equal("""{"name":"digits","ready":true}""", (await Node.GetAsync("/v2/models/digits/ready")).ToJsonString());

    [Theory]
    [InlineData("/v2/health/live")]
    [InlineData("/v2/health/ready")]
    public async Task Rest_ServerHealth_HasLive(string path) => Assert.True((bool)(await Node.GetAsync(path))["live"]!);

    [Theory]
    [InlineData("/v2/health/live")]
    [InlineData("/v2/models/digits/ready")]
    public async Task Rest_HealthByPost_Returns404(string path)
    {
        using var response = await Node.Http.PostAsync(path, null);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }
}
