using Serve.Runtime.Onnx.Tests.Fixtures;

namespace Serve.Runtime.Onnx.Tests.Runs;

/// <summary>Models without inputs, and outputs that are no tensors.</summary>
public sealed class UnusualOutputTests : IDisposable
{
    private readonly OnnxTestModels _models = new();

    public void Dispose() => _models.Dispose();

    [Fact]
    public async Task RunAsync_ModelWithoutInputs_ReturnsItsOutputs()
    {
        using var model = await _models.LoadAsync(new OnnxTestModel().Weights("w", [1, 2], 2).Output("y", TensorType.Float32, "2").Node("Identity", ["w"], ["y"]));

        for (var run = 0; run < 3; run++)
        {
            using var outputs = await model.RunAsync(Array.Empty<NamedTensor>());
            Assert.Equal([1f, 2f], outputs["y"].ToArray<float>());
        }
    }

    // In the order of the labels, whatever their order in the model.
    [Fact]
    public async Task RunAsync_ZipMap_ReturnsAColumnPerClass()
    {
        using var model = await _models.LoadAsync(new OnnxTestModel().Input("x", TensorType.Float32, "n,3").ZipMap("x", "p", 20, 10, 30));
        var spec = Assert.Single(model.Outputs);
        Assert.Equal("p: FP32[-1,-1]", spec.ToString());

        for (var rows = 1; rows <= 3; rows++)
        {
            using var outputs = await model.RunAsync([("x", Tensor.Of([.. Enumerable.Range(0, rows * 3).Select(value => (float)value)], rows, 3))]);
            Assert.Equal([rows, 3], outputs["p"].Shape.ToArray());
            Assert.Equal(Enumerable.Range(0, rows).SelectMany(row => new[] { (row * 3) + 1f, row * 3, (row * 3) + 2 }), outputs["p"].ToArray<float>());
        }
    }
}
