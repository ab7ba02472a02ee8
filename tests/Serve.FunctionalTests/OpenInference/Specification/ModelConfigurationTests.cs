using Grpc.Core;

namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>Triton's extension_model_configuration.md.</summary>
public sealed class ModelConfigurationTests(InferenceNode node) : Chapter(node)
{
    [Theory]
    [InlineData(Transport.Rest, "")]
    [InlineData(Transport.Rest, "1")]
    [InlineData(Transport.Rpc, "")]
    [InlineData(Transport.Rpc, "1")]
    public async Task Configuration_RequestsShareRuns_TheirSizeAndDimensionsWithoutTheItems(Transport transport, string version)
    {
        var config = await By(transport).ConfigureAsync("digits", version);
        Assert.Equal(("digits", "onnxruntime_onnx", "onnxruntime", 32L, 10_000L), (config.Name, config.Platform, config.Backend, config.MaxBatchSize, config.MaxQueueDelay));
        Assert.Equal(["pixels TYPE_FP32 [64]"], config.Input);
        Assert.Equal(["label TYPE_INT64 []", "probabilities TYPE_FP32 [10]"], config.Output);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Configuration_EveryDatatype_HasItsType(Transport transport) => Assert.Equal(
        [.. Samples.All.Select(sample => $"in_{Samples.Name(sample.Datatype)} TYPE_{(sample.Datatype == "BYTES" ? "STRING" : sample.Datatype)}").Order(StringComparer.Ordinal)],
        (await By(transport).ConfigureAsync("types")).Input.Select(input => input[..input.LastIndexOf(' ')]).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Configuration_UnknownModelOrVersion_NotFound(Transport transport)
    {
        await RefusedAsync(StatusCode.NotFound, "There is no model 'nothing'", () => By(transport).ConfigureAsync("nothing"));
        await RefusedAsync(StatusCode.NotFound, "has no version '9'; it has 1", () => By(transport).ConfigureAsync("digits", "9"));
    }
}
