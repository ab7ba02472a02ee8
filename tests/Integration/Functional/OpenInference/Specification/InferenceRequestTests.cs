using System.Net;
using Grpc.Core;

namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>inference_rest.md "Inference Request JSON Object", "Request Input", "Request Output", "Parameters"; inference_grpc.md "Inference", ModelInferRequest.</summary>
public sealed class InferenceRequestTests(InferenceTestNode node) : SpecificationChapter(node)
{
    [Fact]
    public async Task Rest_InferenceByGet_Returns404() => await Node.GetAsync("/v2/models/digits/infer", HttpStatusCode.NotFound);

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"inputs":[]}""")]
    public async Task Rest_Body_IsRequiredAndHasInputs(string body) =>
        Assert.NotEmpty((string)(await Node.PostAsync("/v2/models/digits/infer", body, HttpStatusCode.BadRequest))["error"]!);

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Inputs_AreRequired(ProtocolTransport transport) =>
        await RefusedAsync(StatusCode.InvalidArgument, "The request has no inputs.", () => By(transport).InferAsync("digits", []));

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Id_Given_IsReturned(ProtocolTransport transport) => Assert.Equal("42 ü", (await By(transport).InferAsync("digits", [Pixels], id: "42 ü")).Id);

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Id_NotGiven_NoneIsReturned(ProtocolTransport transport) => Assert.Equal("", (await By(transport).InferAsync("digits", [Pixels])).Id);

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task ModelAndVersion_OfTheRequest_Answer(ProtocolTransport transport)
    {
        Assert.Equal(("digits", "1"), await AnsweredByAsync(""));
        Assert.Equal(("digits", "1"), await AnsweredByAsync("1"));

        async Task<(string, string)> AnsweredByAsync(string version)
        {
            var answer = await By(transport).InferAsync("digits", [Pixels], version: version);
            return (answer.Model, answer.Version);
        }
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task ModelOrVersion_Unknown_NotFound(ProtocolTransport transport)
    {
        await RefusedAsync(StatusCode.NotFound, "Unknown model 'nothing'", () => By(transport).InferAsync("nothing", [Pixels]));
        await RefusedAsync(StatusCode.NotFound, "has no version '9'. Available versions: 1", () => By(transport).InferAsync("digits", [Pixels], version: "9"));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Parameters_StringsNumbersAndBooleans_AreAccepted(ProtocolTransport transport)
    {
        var parameters = new Dictionary<string, object> { ["text"] = "a", ["number"] = 7, ["flag"] = true };
        Assert.Equal("[3]", (await By(transport).InferAsync("digits", [Pixels], ["label"], parameters: parameters)).Outputs.Single().Data);
    }

    [Theory]
    [InlineData("[1]")]
    [InlineData("{}")]
    [InlineData("null")]
    public async Task Rest_Parameters_OtherKind_Returns400(string value)
    {
        var request = InferenceSamples.DigitsRequest.Replace("{\"inputs\"", $$$"""{"parameters":{"p":{{{value}}}},"inputs" """, StringComparison.Ordinal);
        Assert.Contains("the parameter p must be a string, a number or a boolean", (string)(await Node.PostAsync("/v2/models/digits/infer", request, HttpStatusCode.BadRequest))["error"]!, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Input_UnknownName_InvalidArgument(ProtocolTransport transport) => await RefusedAsync(
        StatusCode.InvalidArgument, "The model has no input 'picture'. Its inputs: pixels: FP32[-1,64].", () => By(transport).InferAsync("digits", [Pixels with { Name = "picture" }]));

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Input_Missing_InvalidArgument(ProtocolTransport transport) => await RefusedAsync(
        StatusCode.InvalidArgument, "The request has no value for the inputs count: INT64[-1].", () => By(transport).InferAsync("text", [new("word", "BYTES", "[1]", """["good"]""")]));

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Input_ShapeMismatch_InvalidArgument(ProtocolTransport transport)
    {
        await RefusedAsync(
            StatusCode.InvalidArgument, "input 'pixels' must be FP32[-1,64], but was FP32[64].", () => By(transport).InferAsync("digits", [Pixels with { Shape = "[64]" }]));
        await RefusedAsync(
            StatusCode.InvalidArgument, "input 'pixels': FP32[2,64] has 128 elements,", () => By(transport).InferAsync("digits", [Pixels with { Shape = "[2,64]" }]));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Input_NegativeLength_InvalidArgument(ProtocolTransport transport) => await RefusedAsync(
        StatusCode.InvalidArgument, "input 'pixels': shape [-1,64] must not contain negative lengths.", () => By(transport).InferAsync("digits", [Pixels with { Shape = "[-1,64]" }]));

    [Theory]
    [InlineData("18446744073709551615")]
    [InlineData("9223372036854775807")]
    [InlineData("1.5")]
    public async Task Rest_Shape_InvalidLength_Returns400(string length) => Assert.Contains(
        "shape", (string)(await Node.PostAsync("/v2/models/digits/infer", InferenceSamples.DigitsRequest.Replace("[1,64]", $"[{length},64]", StringComparison.Ordinal), HttpStatusCode.BadRequest))["error"]!, StringComparison.Ordinal);

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Input_DatatypeMismatch_InvalidArgument(ProtocolTransport transport)
    {
        await RefusedAsync(StatusCode.InvalidArgument, "unknown datatype 'FLOAT'. Valid datatypes: BOOL,", () => By(transport).InferAsync("digits", [Pixels with { Datatype = "FLOAT" }]));
        await RefusedAsync(
            StatusCode.InvalidArgument, "must be FP32[-1,64], but was FP64[1,64].", () => By(transport).InferAsync("digits", [Pixels with { Datatype = "FP64" }]));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Input_Batched_ShapeAndDataAreTheWholeBatch(ProtocolTransport transport)
    {
        var blank = string.Join(",", Enumerable.Repeat("0", 64));
        var two = Pixels with { Shape = "[3,64]", Data = $"[{blank},{InferenceSamples.Three[1..^1]},{blank}]" };
        var label = (await By(transport).InferAsync("digits", [two], ["label"])).Outputs.Single();
        var alone = (await By(transport).InferAsync("digits", [Pixels with { Data = $"[{blank}]" }], ["label"])).Outputs.Single().Data[1..^1];
        Assert.Equal("[3]", label.Shape);
        Assert.Equal($"[{alone},3,{alone}]", label.Data);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Outputs_NotGiven_AllAreReturned(ProtocolTransport transport) =>
        Assert.Equal(["label", "probabilities"], (await By(transport).InferAsync("digits", [Pixels])).Outputs.Select(output => output.Name));

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Outputs_Given_AreReturnedInOrder(ProtocolTransport transport)
    {
        Assert.Equal(["probabilities"], (await By(transport).InferAsync("digits", [Pixels], ["probabilities"])).Outputs.Select(output => output.Name));
        Assert.Equal(["probabilities", "label"], (await By(transport).InferAsync("digits", [Pixels], ["probabilities", "label"])).Outputs.Select(output => output.Name));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Outputs_UnknownOrTwice_InvalidArgument(ProtocolTransport transport)
    {
        await RefusedAsync(StatusCode.InvalidArgument, "The model has no output 'digit'. Its outputs: label:", () => By(transport).InferAsync("digits", [Pixels], ["digit"]));
        await RefusedAsync(StatusCode.InvalidArgument, "output 'label' is requested twice.", () => By(transport).InferAsync("digits", [Pixels], ["label", "label"]));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Refused_Request_ReplicaContinues(ProtocolTransport transport)
    {
        await Assert.ThrowsAsync<ProtocolErrorException>(() => By(transport).InferAsync("digits", [Pixels with { Shape = "[1,63]" }]));
        Assert.Equal("[3]", (await By(transport).InferAsync("digits", [Pixels], ["label"])).Outputs.Single().Data);
    }
}
