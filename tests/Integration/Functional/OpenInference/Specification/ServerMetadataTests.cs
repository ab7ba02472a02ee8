using System.Net;
using System.Text.Json.Nodes;

namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>inference_rest.md and inference_grpc.md "Server Metadata".</summary>
public sealed class ServerMetadataTests(InferenceTestNode node) : SpecificationChapter(node)
{
    [Theory]
    [MemberData(nameof(Transports))]
    public async Task ServerMetadata_Name_IsGiven(ProtocolTransport transport) => Assert.Equal("serve", (await By(transport).DescribeServerAsync()).Name);

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task ServerMetadata_Version_IsServerVersion(ProtocolTransport transport) => Assert.Matches(@"^\d+\.\d+", (await By(transport).DescribeServerAsync()).Version);

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task ServerMetadata_Extensions_AreSupportedOnes(ProtocolTransport transport) => Assert.Equal(
        ["binary_tensor_data", "classification", "model_configuration", "model_repository", "statistics"], (await By(transport).DescribeServerAsync()).Extensions);

    [Theory]
    [InlineData("/v2")]
    [InlineData("/v2/")]
    public async Task Rest_ServerMetadata_HasThreeMembers(string path) =>
        Assert.Equal(["name", "version", "extensions"], (await Node.GetAsync(path)).AsObject().Select(member => member.Key));

    [Theory]
    [InlineData("POST", "/v2")]
    [InlineData("GET", "/v2/nothing")]
    [InlineData("GET", "/v2/models")]
    [InlineData("GET", "/v2/systemsharedmemory/status")]
    [InlineData("GET", "/v2/trace/setting")]
    public async Task Rest_UnknownPath_ReturnsErrorInBody(string method, string path)
    {
        using var request = new HttpRequestMessage(new(method), path);
        using var response = await Node.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains($"No endpoint for {method} '{path}'", (string)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rest_RequestId_IsReturnedInHeader()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v2/models/digits/ready") { Headers = { { "X-Request-ID", "abc" } } };
        using var response = await Node.Http.SendAsync(request);
        Assert.Equal("abc", response.Headers.GetValues("X-Request-ID").Single());
    }
}
