using System.Net;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using Serve.Gateway;
using Serve.Gateway.Tests;

namespace Serve.Inference.Tests;

/// <summary>Precedence of gateway, models and applications for <c>/v2</c> and the gRPC service.</summary>
public sealed class RoutePrecedenceTests
{
    private const string Rpc = "/inference.GRPCInferenceService/ServerLive";

    // Deployed prefixes, requested path, and responder: a prefix or the gateway.
    [Theory]
    [InlineData("", "/v2", "gateway")]
    [InlineData("", "/v2/health/live", "gateway")]
    [InlineData("", "/v2x", "none")]
    [InlineData("/", "/v2", "/")]
    [InlineData("/", "/v2/health/live", "/")]
    [InlineData("/", "/v2/models/m", "/")]
    [InlineData("/ /x", "/v2", "/")]
    [InlineData("/v2/models/m", "/v2", "gateway")]
    [InlineData("/v2/models/m", "/v2/models/m", "/v2/models/m")]
    [InlineData("/v2/models/m", "/v2/models/m/infer", "/v2/models/m")]
    [InlineData("/v2/models/m", "/v2/models/other/infer", "gateway 404")]
    [InlineData("/v2/models/m", "/v2/models/mm/infer", "gateway 404")]
    [InlineData("/ /v2/models/m", "/v2", "gateway")]
    [InlineData("/ /v2/models/m", "/v2/models/other", "gateway 404")]
    [InlineData("/ /v2/models/m", "/v2/models/m/infer", "/v2/models/m")]
    [InlineData("/ /v2/models/m", "/v2x", "/")]
    [InlineData("/ /v2/models/m", "/v", "/")]
    [InlineData("/ /v2/models/m", "/x/v2", "/")]
    // A longer path below /v2/models is an application, not a model.
    [InlineData("/ /v2/models/m/deep", "/v2", "/")]
    [InlineData("/ /v2/models/m/deep", "/v2/models/m/deep/x", "/v2/models/m/deep")]
    [InlineData("/v2", "/v2", "/v2")]
    [InlineData("/v2", "/v2/health/live", "/v2")]
    [InlineData("/v2 /v2/models/m", "/v2", "/v2")]
    [InlineData("/v2 /v2/models/m", "/v2/health/live", "/v2")]
    [InlineData("/v2 /v2/models/m", "/v2/models/other", "/v2")]
    [InlineData("/v2 /v2/models/m", "/v2/models/m/infer", "/v2/models/m")]
    [InlineData("/v2/models", "/v2", "gateway")]
    [InlineData("/v2/models", "/v2/models/m", "/v2/models")]
    [InlineData("/v2/custom", "/v2", "gateway")]
    [InlineData("/v2/custom", "/v2/custom", "/v2/custom")]
    [InlineData("/v2/custom", "/v2/custom/x", "/v2/custom")]
    [InlineData("/v2/custom", "/v2/customer", "gateway 404")]
    [InlineData("/v2/custom /", "/v2", "/")]
    [InlineData("/v2x", "/v2x", "/v2x")]
    [InlineData("/v2x", "/v2", "gateway")]
    [InlineData("/x", "/v2", "gateway")]
    [InlineData("", Rpc, "gateway")]
    [InlineData("/", Rpc, "/")]
    [InlineData("/ /v2/models/m", Rpc, "gateway")]
    [InlineData("/v2", Rpc, "gateway")]
    [InlineData("/inference.GRPCInferenceService", Rpc, "/inference.GRPCInferenceService")]
    [InlineData("/inference.GRPCInferenceService /v2/models/m", Rpc, "/inference.GRPCInferenceService")]
    [InlineData("/inference.GRPC", Rpc, "gateway")]
    // Without gRPC's content type the path is an ordinary one.
    [InlineData("/ /v2/models/m", Rpc + " as text", "/")]
    public async Task Path_Prefixes_SelectResponder(string prefixes, string path, string expected) => Assert.Equal(expected, await AskAsync("", prefixes, path));

    [Theory]
    [InlineData("", "/v2", "none")]
    [InlineData("", "/api/v2", "gateway")]
    [InlineData("", "/api/v2/health/live", "gateway")]
    [InlineData("", "/api/v2x", "none")]
    [InlineData("/", "/api/v2", "/")]
    [InlineData("/ /v2/models/m", "/api/v2", "gateway")]
    [InlineData("/ /v2/models/m", "/v2", "none")]
    [InlineData("/ /v2/models/m", "/api/v2/models/m/infer", "/v2/models/m")]
    [InlineData("/v2", "/api/v2/health/live", "/v2")]
    [InlineData("/v2/custom", "/api/v2/custom/x", "/v2/custom")]
    [InlineData("/v2/custom", "/api/v2", "gateway")]
    // gRPC paths have no root path.
    [InlineData("", Rpc, "gateway")]
    [InlineData("/", Rpc, "gateway")]
    [InlineData("/inference.GRPCInferenceService", Rpc, "gateway")]
    public async Task Path_RootPath_SelectsResponder(string prefixes, string path, string expected)
    {
        Assert.Equal(expected, await AskAsync("/api", prefixes, path));
        Assert.Equal(expected, await AskAsync("/api/", prefixes, path));
    }

    [Fact]
    public async Task Path_ApplicationAtRoot_YieldsToProtocolWhileModelsExist()
    {
        await using var gateway = await InferenceGatewayHost.StartAsync();
        await Deploy(gateway, "/").PublishAsync();
        Assert.Equal("/", await AnswererAsync(gateway, "/v2"));
        await Deploy(gateway, "/v2/models/m").PublishAsync();
        Assert.Equal("gateway", await AnswererAsync(gateway, "/v2"));
        await gateway.Delete("/v2/models/m").PublishAsync();
        Assert.Equal("/", await AnswererAsync(gateway, "/v2"));
    }

    // The readiness of all replicas is reported by the gateway, also if an application has the prefix /v2.
    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/v2")]
    [InlineData("/v2/models")]
    public async Task ModelWithoutReplica_ApplicationAtPrefix_GatewayReportsNotReady(string prefix)
    {
        await using var gateway = await InferenceGatewayHost.StartAsync();
        if (prefix.Length > 0)
            Deploy(gateway, prefix);
        await gateway.Deploy("m", "/v2/models/m", "", unavailable: "unloaded").PublishAsync();
        foreach (var path in new[] { "/v2/models/m/ready", "/v2/models/m/versions/1/ready" })
        {
            using var response = await gateway.Client.GetAsync(path);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            Assert.Equal("""{"name":"m","ready":false}""", await response.Content.ReadAsStringAsync());
        }
    }

    private static async Task<string> AskAsync(string rootPath, string prefixes, string path)
    {
        await using var gateway = await InferenceGatewayHost.StartAsync(new GatewayOptions { Http = new() { RootPath = rootPath } });
        foreach (var prefix in prefixes.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            Deploy(gateway, prefix);
        await gateway.PublishAsync();
        return await AnswererAsync(gateway, path);
    }

    private static GatewayTestHost Deploy(GatewayTestHost gateway, string prefix)
    {
        gateway.Local(prefix).Http = context => context.Response.WriteAsync(prefix);
        return gateway.Deploy(prefix, prefix, prefix);
    }

    private static async Task<string> AnswererAsync(GatewayTestHost gateway, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path.Split(' ')[0]);
        if (path == Rpc)
        {
            request.Method = HttpMethod.Post;
            (request.Version, request.VersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
            request.Content = new ByteArrayContent([0, 0, 0, 0, 0]);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        }

        using var response = await gateway.Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        if (response.StatusCode == HttpStatusCode.NotFound)
            return text.Contains("No application answers at this path", StringComparison.Ordinal) ? "none" : "gateway 404";
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return text.StartsWith('/') ? text : "gateway";
    }
}
