using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>inference_rest.md "Inference Response JSON Object", "Response Output", "Inference Response JSON Error Object"; inference_grpc.md ModelInferResponse.</summary>
public sealed class InferenceResponseTests(InferenceTestNode node) : SpecificationChapter(node)
{
    [Fact]
    public async Task Rest_Success_Returns200WithContentLength()
    {
        using var response = await Node.Http.PostAsync("/v2/models/digits/infer", new StringContent(InferenceSamples.DigitsRequest, Encoding.UTF8, "application/json"));
        var body = await response.Content.ReadAsByteArrayAsync();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(body.Length, response.Content.Headers.ContentLength);
        Assert.False(response.Headers.Contains("Inference-Header-Content-Length"));
        Assert.Equal(["model_name", "model_version", "outputs"], JsonNode.Parse(body)!.AsObject().Select(member => member.Key));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task ModelNameAndVersion_Response_HasServedVersion(ProtocolTransport transport)
    {
        var answer = await By(transport).InferAsync("digits", [Pixels]);
        Assert.Equal(("digits", "1"), (answer.Model, answer.Version));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Output_NameShapeDatatypeAndData(ProtocolTransport transport)
    {
        var outputs = (await By(transport).InferAsync("digits", [Pixels])).Outputs;
        Assert.Equal(new ProtocolOutput("label", "INT64", "[1]", "[3]"), outputs[0]);
        Assert.Equal(("probabilities", "FP32", "[1,10]"), (outputs[1].Name, outputs[1].Datatype, outputs[1].Shape));
        Assert.Equal(3, JsonNode.Parse(outputs[1].Data)!.AsArray().Select((value, index) => ((float)value!, index)).Max().index);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Output_Batched_ShapeAndDataAreTheWholeBatch(ProtocolTransport transport)
    {
        var pixels = InferenceSamples.Three[1..^1];
        var outputs = (await By(transport).InferAsync("digits", [Pixels with { Shape = "[3,64]", Data = $"[{pixels},{pixels},{pixels}]" }])).Outputs;
        Assert.Equal(new ProtocolOutput("label", "INT64", "[3]", "[3,3,3]"), outputs[0]);
        Assert.Equal("[3,10]", outputs[1].Shape);
        Assert.Equal(30, JsonNode.Parse(outputs[1].Data)!.AsArray().Count);
    }

    [Theory]
    [InlineData("/v2/models/digits/infer", "{", HttpStatusCode.BadRequest)]
    [InlineData("/v2/models/nothing/infer", "{}", HttpStatusCode.NotFound)]
    [InlineData("/v2/models/nothing/versions/1/infer", "{}", HttpStatusCode.NotFound)]
    [InlineData("/v2/models/digits/versions/9/infer", "{}", HttpStatusCode.NotFound)]
    [InlineData("/v2/models/digits/versions/x/infer", "{}", HttpStatusCode.NotFound)]
    public async Task Rest_Failed_ReturnsErrorString(string path, string body, HttpStatusCode status) =>
        Assert.NotEmpty((string)(await Node.PostAsync(path, body, status))["error"]!);
}
