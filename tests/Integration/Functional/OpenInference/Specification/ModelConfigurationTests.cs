using Grpc.Core;

namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>Triton's extension_model_configuration.md.</summary>
public sealed class ModelConfigurationTests(InferenceTestNode node) : SpecificationChapter(node)
{
    [Theory]
    [InlineData(ProtocolTransport.Rest, "")]
    [InlineData(ProtocolTransport.Rest, "1")]
    [InlineData(ProtocolTransport.Rpc, "")]
    [InlineData(ProtocolTransport.Rpc, "1")]
    public async Task Configuration_Batching_HasSizeAndOmitsBatchDimension(ProtocolTransport transport, string version)
    {
        var config = await By(transport).ConfigureAsync("digits", version);
        Assert.Equal(("digits", "onnxruntime_onnx", "onnxruntime", 32L, 10_000L), (config.Name, config.Platform, config.Backend, config.MaxBatchSize, config.MaxQueueDelay));
        Assert.Equal(["pixels TYPE_FP32 [64]"], config.Input);
        Assert.Equal(["label TYPE_INT64 []", "probabilities TYPE_FP32 [10]"], config.Output);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Configuration_EveryDatatype_HasItsType(ProtocolTransport transport) => Assert.Equal(
        [.. InferenceSamples.All.Select(sample => $"in_{InferenceSamples.Name(sample.Datatype)} TYPE_{(sample.Datatype == "BYTES" ? "STRING" : sample.Datatype)}").Order(StringComparer.Ordinal)],
        (await By(transport).ConfigureAsync("types")).Input.Select(input => input[..input.LastIndexOf(' ')]).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Configuration_UnknownModelOrVersion_NotFound(ProtocolTransport transport)
    {
        await RefusedAsync(StatusCode.NotFound, "Unknown model 'nothing'", () => By(transport).ConfigureAsync("nothing"));
        await RefusedAsync(StatusCode.NotFound, "has no version '9'. Available versions: 1", () => By(transport).ConfigureAsync("digits", "9"));
    }
}
