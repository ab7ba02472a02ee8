using System.Net;
using Google.Protobuf;
using Grpc.Core;
using Serve.Inference.Grpc.Health;

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

            // The index and the answer to a load have the cause without paths of the server; the log has them.
            var failed = Assert.Single(await By(transport).IndexAsync(), line => line.StartsWith("damaged ", StringComparison.Ordinal));
            Assert.Contains(".onnx", failed, StringComparison.Ordinal);
            Assert.DoesNotContain(Node.Node.Scratch.Path, failed, StringComparison.Ordinal);
            var error = await Assert.ThrowsAnyAsync<Exception>(() => By(transport).LoadAsync("damaged"));
            Assert.Contains(".onnx", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(Node.Node.Scratch.Path, error.Message, StringComparison.Ordinal);
            Assert.Contains(Node.Node.Scratch.Path, Node.Node.Process.Errors, StringComparison.Ordinal);
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

    [Fact]
    public async Task Rest_ModelReadyOfUnknownModelOrVersion_NotFound()
    {
        await RefusedAsync(StatusCode.NotFound, "Unknown model 'nothing'", () => By(ProtocolTransport.Rest).IsModelReadyAsync("nothing"));
        await RefusedAsync(StatusCode.NotFound, "has no version '9'. Available versions: 1", () => By(ProtocolTransport.Rest).IsModelReadyAsync("digits", "9"));
    }

    [Fact]
    public async Task Rpc_ModelReadyOfUnknownModelOrVersion_False()
    {
        Assert.False(await By(ProtocolTransport.Rpc).IsModelReadyAsync("nothing"));
        Assert.False(await By(ProtocolTransport.Rpc).IsModelReadyAsync("digits", "9"));
    }

    // grpc.health.v1, which probes and clients of gRPC use.
    [Theory]
    [InlineData("", HealthCheckResponse.Types.ServingStatus.Serving)]
    [InlineData("inference.GRPCInferenceService", HealthCheckResponse.Types.ServingStatus.Serving)]
    [InlineData("digits", HealthCheckResponse.Types.ServingStatus.Serving)]
    public async Task HealthCheck_KnownService_Serving(string service, HealthCheckResponse.Types.ServingStatus status)
    {
        Assert.Equal(status, (await HealthAsync("Check", MethodType.Unary, service)).Status);
        Assert.Equal(status, (await HealthAsync("Watch", MethodType.ServerStreaming, service)).Status);
    }

    [Fact]
    public async Task HealthCheck_UnknownService_NotFound()
    {
        var error = await Assert.ThrowsAsync<RpcException>(() => HealthAsync("Check", MethodType.Unary, "nothing"));
        Assert.Equal(StatusCode.NotFound, error.StatusCode);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.ServiceUnknown, (await HealthAsync("Watch", MethodType.ServerStreaming, "nothing")).Status);
    }

    private async Task<HealthCheckResponse> HealthAsync(string method, MethodType type, string service)
    {
        var call = new Method<HealthCheckRequest, HealthCheckResponse>(
            type, "grpc.health.v1.Health", method, Marshallers.Create(message => message.ToByteArray(), HealthCheckRequest.Parser.ParseFrom), Marshallers.Create(message => message.ToByteArray(), HealthCheckResponse.Parser.ParseFrom));
        if (type == MethodType.Unary)
            return await Node.Invoker.AsyncUnaryCall(call, null, default, new() { Service = service });
        using var watch = Node.Invoker.AsyncServerStreamingCall(call, null, default, new() { Service = service });
        Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));
        return watch.ResponseStream.Current;
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
