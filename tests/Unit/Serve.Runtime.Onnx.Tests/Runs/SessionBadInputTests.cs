using Serve.Runtime.Onnx.Runs;
using Serve.Runtime.Onnx.Tests.Fixtures;

namespace Serve.Runtime.Onnx.Tests.Runs;

/// <summary>Invalid inputs are rejected before ONNX Runtime sees them.</summary>
public sealed class SessionBadInputTests : IAsyncLifetime, IDisposable
{
    private readonly OnnxTestModels _models = new();
    private OnnxModel _model = null!;

    public async Task InitializeAsync() => _model = await _models.LoadAsync(new OnnxTestModel()
        .Input("pixels", TensorType.Float32, "n,4").Input("names", TensorType.String, "2")
        .Output("y", TensorType.Float32, "n,4").Output("z", TensorType.String, "2")
        .Node("Add", ["pixels", "pixels"], ["y"]).Node("Identity", ["names"], ["z"]));

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        _model.Dispose();
        _models.Dispose();
    }

    [Fact]
    public async Task RunAsync_NameMistyped_ErrorSuggestsName() => await RefusedAsync(
        [("pixel", Pixels()), ("names", Names())], "Unknown input 'pixel' (did you mean 'pixels'?)", "pixels: FP32[-1,4]; names: BYTES[2]");

    [Fact]
    public async Task RunAsync_InputMissing_ErrorNamesInput() => await RefusedAsync([("pixels", Pixels())], "Missing input: names: BYTES[2].");

    [Fact]
    public async Task RunAsync_InputTwice_IsRefused() => await RefusedAsync([("pixels", Pixels()), ("pixels", Pixels())], "Duplicate input 'pixels'");

    [Fact]
    public async Task RunAsync_WrongType_ErrorNamesBothTypes() => await RefusedAsync(
        [("pixels", Tensor.Of(new double[4], 1, 4)), ("names", Names())], "has the type FP64", "pixels: FP32[-1,4]");

    [Theory]
    [InlineData(1, 5)]
    [InlineData(4)]
    [InlineData(1, 4, 1)]
    public async Task RunAsync_WrongShape_ErrorNamesBothShapes(params int[] shape)
    {
        long[] lengths = [.. shape.Select(length => (long)length)];
        await RefusedAsync(
            [("pixels", Tensor.Of(new float[lengths.Aggregate((a, b) => a * b)], lengths)), ("names", Names())],
            $"has the shape [{string.Join(",", shape)}]", "pixels: FP32[-1,4]");
    }

    [Fact]
    public async Task RunAsync_NullTensor_IsRefused() => await RefusedAsync([("pixels", null!), ("names", Names())], "'pixels' must be pixels: FP32[-1,4], but was null");

    [Fact]
    public async Task RunAsync_NullText_ErrorNamesIndex() => await RefusedAsync([("pixels", Pixels()), ("names", Tensor.Of(new string[] { "a", null! }))], "element 1 is null");

    [Fact]
    public async Task RunAsync_UnknownOutput_ErrorListsOutputs()
    {
        var error = await Assert.ThrowsAsync<BadInputException>(() => _model.RunAsync([("pixels", Pixels()), ("names", Names())], ["yy"]).AsTask());
        Assert.Contains("Unknown output 'yy' (did you mean 'y'?)", error.Message, StringComparison.Ordinal);
        Assert.Contains("y: FP32[-1,4]; z: BYTES[2]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_OutputTwice_IsRefused() =>
        await Assert.ThrowsAsync<BadInputException>(() => _model.RunAsync([("pixels", Pixels()), ("names", Names())], ["y", "y"]).AsTask());

    [Fact]
    public async Task RunAsync_AfterARefusal_RunsAsBefore()
    {
        await RefusedAsync([("pixels", Tensor.Of(new float[5], 1, 5)), ("names", Names())]);

        using var outputs = await _model.RunAsync([("pixels", Pixels()), ("names", Names())]);
        Assert.Equal(["a", "b"], outputs["z"].ToArray<string>());
    }

    [Fact]
    public async Task RunAsync_ValuesFailAnOperator_ReportsMessageOfOnnxRuntime()
    {
        using var gather = await _models.LoadAsync(
            new OnnxTestModel().Weights("w", [1, 2, 3], 3).Input("x", TensorType.Int64, "n").Output("y", TensorType.Float32, "n").Node("Gather", ["w", "x"], ["y"]), name: "gather.onnx");
        (await gather.RunAsync([("x", Tensor.Of(new[] { 1L }))])).Dispose();

        for (var run = 0; run < 2; run++)
        {
            var error = await Assert.ThrowsAsync<BadInputException>(() => gather.RunAsync([("x", Tensor.Of(new[] { 7L }))]).AsTask());
            Assert.Contains("gather.onnx", error.Message, StringComparison.Ordinal);
            Assert.Contains("out of data bounds", error.Message, StringComparison.Ordinal);
            using var good = await gather.RunAsync([("x", Tensor.Of(new[] { 2L }))]);
            Assert.Equal([3f], good["y"].ToArray<float>());
        }
    }

    // Both shapes are open, and only the operator knows that they must be equal.
    [Fact]
    public async Task RunAsync_ShapesFailAnOperator_IsRefused()
    {
        using var sum = await _models.LoadAsync(
            new OnnxTestModel().Input("a", TensorType.Float32, "n").Input("b", TensorType.Float32, "m").Output("y", TensorType.Float32, "k").Node("Add", ["a", "b"], ["y"]), name: "sum.onnx");

        var error = await Assert.ThrowsAsync<BadInputException>(() => sum.RunAsync([("a", Tensor.Of([1f, 2f], 2)), ("b", Tensor.Of([1f, 2f, 3f], 3))]).AsTask());

        Assert.Contains("sum.onnx", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[ErrorCode:InvalidArgument] Non-zero status code returned while running Gather node. Name:'' Status Message: indices element out of data bounds", true)]
    [InlineData("[ErrorCode:RuntimeException] Non-zero status code returned while running Add node. Name:'/allocate/Add' Status Message: axis == 1 was false", true)]
    [InlineData("[ErrorCode:RuntimeException] Non-zero status code returned while running Add node. Name:'' Status Message: bfc_arena.cc:376 Failed to allocate memory for requested buffer of size 8", false)]
    [InlineData("[ErrorCode:Fail] Non-zero status code returned while running Conv node. Name:'' Status Message: CUDNN failure 4", false)]
    [InlineData("[ErrorCode:NotImplemented] Could not find an implementation for Foo(1)", false)]
    [InlineData("[ErrorCode:EngineError] lost", false)]
    public void IsCausedByInputs_MessageOfOnnxRuntime_BlamesTheInputsOnlyForOperators(string message, bool expected) =>
        Assert.Equal(expected, RunFailureClassifier.IsCausedByInputs(message));

    private static Tensor<float> Pixels() => Tensor.Of(new float[4], 1, 4);

    private static Tensor<string> Names() => Tensor.Of(new[] { "a", "b" });

    private async Task RefusedAsync(IReadOnlyList<NamedTensor> inputs, params string[] said)
    {
        var error = await Assert.ThrowsAsync<BadInputException>(() => _model.RunAsync(inputs).AsTask());
        Assert.All(said, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }
}
