using Grpc.Core;

namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>inference_rest.md and inference_grpc.md "Model Metadata" and "Platforms".</summary>
public sealed class ModelMetadataTests(InferenceTestNode node) : SpecificationChapter(node)
{
    [Theory]
    [MemberData(nameof(Transports))]
    public async Task ModelMetadata_Name_IsModelName(ProtocolTransport transport) => Assert.Equal("digits", (await By(transport).DescribeAsync("digits")).Name);

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task ModelMetadata_Versions_AreAvailable(ProtocolTransport transport)
    {
        Assert.Equal("""["1"]""", (await By(transport).DescribeAsync("digits")).Versions);
        Assert.Equal("digits", (await By(transport).DescribeAsync("digits", "1")).Name);
        Assert.Equal("1", (await By(transport).InferAsync("digits", [Pixels], version: "1")).Version);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task ModelMetadata_NoVersionGiven_TheHighestIsChosen(ProtocolTransport transport)
    {
        foreach (var (version, model) in new[] { ("2", "text"), ("10", "digits") })
        {
            Directory.CreateDirectory(Node.Node.Scratch.In($"several/{version}"));
            File.Copy(InferenceTestNode.Model(model + ".onnx"), Node.Node.Scratch.In($"several/{version}/model.onnx"), overwrite: true);
        }

        await Node.DeployAsync(Node.Node.Scratch.In("several"));
        var highest = await By(transport).DescribeAsync("several");
        Assert.Equal("""["2","10"]""", highest.Versions);
        Assert.Equal("pixels FP32 [-1,64]", highest.Inputs.Single());
        Assert.Equal(2, (await By(transport).DescribeAsync("several", "2")).Inputs.Count);
        Assert.Equal("10", (await By(transport).InferAsync("several", [Pixels])).Version);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task ModelMetadata_Platform_IsTheNameForOnnx(ProtocolTransport transport) => Assert.Equal("onnx_onnxv1", (await By(transport).DescribeAsync("digits")).Platform);

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task ModelMetadata_Tensors_NameDatatypeAndShapeWithMinusOneForVariableLengths(ProtocolTransport transport)
    {
        var digits = await By(transport).DescribeAsync("digits");
        Assert.Equal(["pixels FP32 [-1,64]"], digits.Inputs);
        Assert.Equal(["label INT64 [-1]", "probabilities FP32 [-1,10]"], digits.Outputs);
        Assert.Equal(["word BYTES [-1]", "count INT64 [-1]"], (await By(transport).DescribeAsync("text")).Inputs);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task ModelMetadata_UnknownModelOrVersion_NotFound(ProtocolTransport transport)
    {
        await RefusedAsync(StatusCode.NotFound, "Unknown model 'nothing'", () => By(transport).DescribeAsync("nothing"));
        await RefusedAsync(StatusCode.NotFound, "Unknown model 'nothing'", () => By(transport).DescribeAsync("nothing", "1"));
        await RefusedAsync(StatusCode.NotFound, "has no version '9'. Available versions: 1", () => By(transport).DescribeAsync("digits", "9"));
    }
}
