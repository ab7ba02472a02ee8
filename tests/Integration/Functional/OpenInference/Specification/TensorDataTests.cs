using System.Net;
using System.Text.Json.Nodes;
using Grpc.Core;

namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>inference_rest.md and inference_grpc.md "Tensor Data" and "Tensor Data Types", for both transports.</summary>
public sealed class TensorDataTests(InferenceTestNode node) : SpecificationChapter(node)
{
    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Elements_AreInRowMajorOrderWithoutPadding(ProtocolTransport transport)
    {
        // One embedding per item: two items in one request equal two requests with one item.
        string[] items = ["1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16", "16,15,14,13,12,11,10,9,8,7,6,5,4,3,2,1"];
        var alone = new List<string>();
        foreach (var item in items)
            alone.Add(await EmbedAsync("[1,1,16]", item, "[1,1]", "1"));
        var together = JsonNode.Parse(await EmbedAsync("[2,1,16]", string.Join(",", items), "[2,1]", "1,1"))!.AsArray().Select(value => (float)value!).ToArray();
        var expected = alone.SelectMany(each => JsonNode.Parse(each)!.AsArray()).Select(value => (float)value!).ToArray();
        Assert.Equal(expected.Length, together.Length);
        foreach (var (one, other) in expected.Zip(together))
            Assert.Equal(one, other, 1e-4f);

        async Task<string> EmbedAsync(string shape, string tokens, string maskShape, string mask) => (await By(transport).InferAsync(
            "attention", [new("tokens", "FP32", shape, $"[{tokens}]"), new("mask", "INT64", maskShape, $"[{mask}]")], ["embedding"])).Outputs.Single().Data;
    }

    [Theory]
    [InlineData("[1,64]", "[{0}]")]
    [InlineData("[1,64]", "[[{0}]]")]
    public async Task Rest_Data_NestedOrFlat_IsAccepted(string shape, string form)
    {
        var request = $$"""{"inputs":[{"name":"pixels","shape":{{shape}},"datatype":"FP32","data":{{form.Replace("{0}", InferenceSamples.Three[1..^1], StringComparison.Ordinal)}}}]}""";
        Assert.Equal("[3]", (await Node.PostAsync("/v2/models/digits/infer", request))["outputs"]![0]!["data"]!.ToJsonString());
    }

    [Theory]
    [InlineData("INT64", "[1.5]")]
    [InlineData("INT64", "[\"1\"]")]
    [InlineData("INT64", "[true]")]
    [InlineData("INT64", "[null]")]
    public async Task Rest_Element_UnexpectedKind_Returns400(string datatype, string data)
    {
        var request = $$"""{"inputs":[{"name":"word","shape":[1],"datatype":"BYTES","data":["good"]},{"name":"count","shape":[1],"datatype":"{{datatype}}","data":{{data}}}]}""";
        Assert.Contains("input 'count': INT64 elements must be integers", (string)(await Node.PostAsync("/v2/models/text/infer", request, HttpStatusCode.BadRequest))["error"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rest_EveryDatatype_RoundTrips()
    {
        var answer = await Node.PostAsync("/v2/models/types/infer", InferenceSamples.Request(binary: false));
        Assert.Equal(InferenceSamples.All.Length, answer["outputs"]!.AsArray().Count);
        foreach (var (datatype, json, _) in InferenceSamples.All)
        {
            var output = answer["outputs"]!.AsArray().Single(output => (string)output!["name"]! == "out_" + InferenceSamples.Name(datatype))!;
            Assert.Equal(datatype, (string?)output["datatype"]);
            Assert.True(JsonNode.DeepEquals(JsonNode.Parse(json), output["data"]), output.ToJsonString());
        }
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Bytes_Strings_AreAccepted(ProtocolTransport transport)
    {
        var answer = await By(transport).InferAsync(
            "text", [new("word", "BYTES", "[3]", """["great","table","slow"]"""), new("count", "INT64", "[3]", "[1,3,2]")], ["sentiment"]);
        Assert.Equal(new ProtocolOutput("sentiment", "BYTES", "[3]", """["positive","neutral","negative"]"""), answer.Outputs.Single());
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Elements_CountMismatch_InvalidArgument(ProtocolTransport transport)
    {
        await RefusedAsync(StatusCode.InvalidArgument, "FP32[1,64] has 64 elements,", () => By(transport).InferAsync("digits", [Pixels with { Data = InferenceSamples.Three[..^3] + "]" }]));
        await RefusedAsync(StatusCode.InvalidArgument, "FP32[1,64] has 64 elements,", () => By(transport).InferAsync("digits", [Pixels with { Data = InferenceSamples.Three[..^1] + ",0]" }]));
    }
}
