using System.Text.RegularExpressions;
using Grpc.Core;

namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>Triton's extension_classification.md. The order of every datatype is covered by the unit tests.</summary>
public sealed class ProtocolClassificationTests(InferenceTestNode node) : SpecificationChapter(node)
{
    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Classification_Output_HasValueAndIndexInDescendingOrder(ProtocolTransport transport)
    {
        var output = (await By(transport).InferAsync("digits", [Pixels], ["probabilities:3"])).Outputs.Single();
        Assert.Equal(("probabilities", "BYTES", "[1,3]"), (output.Name, output.Datatype, output.Shape));
        Assert.Matches(new Regex("""^\["[0-9.]+:3","[^:]+:\d","[^:]+:\d"\]$"""), output.Data);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Classification_MoreThanElements_ReturnsAll(ProtocolTransport transport) =>
        Assert.Equal("[1,10]", (await By(transport).InferAsync("digits", [Pixels], ["probabilities:11"])).Outputs.Single().Shape);

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Classification_Batched_RanksEachItem(ProtocolTransport transport)
    {
        var pixels = InferenceSamples.Three[1..^1];
        var output = (await By(transport).InferAsync("digits", [Pixels with { Shape = "[2,64]", Data = $"[{pixels},{pixels}]" }], ["probabilities:1", "label"])).Outputs;
        Assert.Equal("[2,1]", output[0].Shape);
        Assert.Matches("""^\["([0-9.]+:3)","\1"\]$""", output[0].Data);
        Assert.Equal("[3,3]", output[1].Data);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Classification_StringsOrNegativeNumber_InvalidArgument(ProtocolTransport transport)
    {
        await RefusedAsync(
            StatusCode.InvalidArgument, "output 'sentiment': BYTES has no order",
            () => By(transport).InferAsync("text", [new("word", "BYTES", "[1]", """["good"]"""), new("count", "INT64", "[1]", "[1]")], ["sentiment:1"]));
        await RefusedAsync(
            StatusCode.InvalidArgument, "output 'probabilities': classification must be a number of classes", () => By(transport).InferAsync("digits", [Pixels], ["probabilities:-1"]));
    }
}
