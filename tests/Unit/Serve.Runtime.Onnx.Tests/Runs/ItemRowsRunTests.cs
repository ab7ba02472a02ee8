using Serve.Runtime.Onnx.Tests.Fixtures;

namespace Serve.Runtime.Onnx.Tests.Runs;

/// <summary>Lists of items: one run for all of them, with separate rows.</summary>
public sealed class ItemRowsRunTests : IDisposable
{
    private readonly OnnxTestModels _models = new();

    public void Dispose() => _models.Dispose();

    [Fact]
    public async Task RunAsync_Items_EachHasItsRow()
    {
        using var model = await _models.LoadAsync(OnnxTestModel.Doubles());

        Assert.Equal([[2, 4, 6, 8], [0, 0, 0, 2]], await model.RunAsync([[1, 2, 3, 4], [0, 0, 0, 1]]));
        Assert.Empty(await model.RunAsync(Array.Empty<float[]>()));
    }

    [Fact]
    public async Task RunAsync_RowsHaveAnOpenLength_ShorterOnesAreFilledUpAtTheEnd()
    {
        using var numbers = await _models.LoadAsync(OnnxTestModel.Doubles("n,m,2"));
        using var texts = await _models.LoadAsync(OnnxTestModel.Copies(TensorType.String, "n,m"), name: "texts.onnx");

        Assert.Equal([[2, 4, 0, 0], [6, 8, 10, 12]], await numbers.RunAsync([[1, 2], [3, 4, 5, 6]]));
        Assert.Equal([["a", "", ""], ["b", "c", "d"]], await texts.RunAsync<string, string>([["a"], ["b", "c", "d"]]));
        await RefusedAsync("Item 1 has 3 elements, but the input x: FP32[-1,-1,2] requires a multiple of 2 per item.", numbers, [[1, 2], [1, 2, 3]]);
    }

    [Fact]
    public async Task RunAsync_OpenLengthIsNotTheRowsFirst_EqualRowsOnly()
    {
        using var model = await _models.LoadAsync(OnnxTestModel.Doubles("n,2,m"));

        Assert.Equal([[2, 4, 6, 8], [2, 2, 2, 2]], await model.RunAsync([[1, 2, 3, 4], [1, 1, 1, 1]]));
        await RefusedAsync("The items differ in length, but the open dimension of x: FP32[-1,2,-1] is not the first of an item; pass a tensor instead of items.", model, [[1, 2], [1, 2, 3, 4]]);
    }

    [Fact]
    public async Task RunAsync_ItemDoesNotFit_ErrorNamesItem()
    {
        using var model = await _models.LoadAsync(OnnxTestModel.Doubles());

        await RefusedAsync("Item 1 has 3 elements, but the input x: FP32[-1,4] requires 4 per item.", model, [[1, 2, 3, 4], [1, 2, 3]]);
        await RefusedAsync("Item 0 is null.", model, [null!]);
        var error = await Assert.ThrowsAsync<BadInputException>(() => model.RunAsync<long, float>([[1, 2, 3, 4]]));
        Assert.Equal("Items for the input x: FP32[-1,4] must be FP32, but were INT64.", error.Message);
    }

    [Fact]
    public async Task RunAsync_ModelWithoutItems_ErrorNamesReason()
    {
        using var closed = await _models.LoadAsync(OnnxTestModel.Doubles("2,4"));
        using var open = await _models.LoadAsync(OnnxTestModel.Doubles("n,m,l"), name: "open.onnx");
        using var single = await _models.LoadAsync(new OnnxTestModel()
            .Input("x", TensorType.Float32, "n,4").Output("y", TensorType.Float32, "1,1").Node("ReduceMax", ["x"], ["y"]), name: "single.onnx");

        Assert.Contains("must have one input with an open first dimension", (await Assert.ThrowsAsync<InvalidOperationException>(() => closed.RunAsync([[1]]))).Message, StringComparison.Ordinal);
        await RefusedAsync("The model's input x: FP32[-1,-1,-1] has several open dimensions after the first; pass a tensor instead of items.", open, [[1]]);
        var error = await Assert.ThrowsAsync<InferenceException>(() => single.RunAsync([[1, 2, 3, 4], [1, 2, 3, 4]]));
        Assert.Equal("The first length of the output must be 2, the number of items, but the output is FP32[1,1].", error.Message);
    }

    [Fact]
    public async Task RunEachAsync_ItemDoesNotFit_FailsAlone()
    {
        using var model = await _models.LoadAsync(OnnxTestModel.Doubles());

        var results = await model.RunEachAsync<float, float>([[1, 2, 3, 4], [1, 2, 3], null!, [0, 0, 0, 1]]);

        Assert.Equal([2, 4, 6, 8], results[0].Value);
        Assert.Equal("The item has 3 elements, but the input x: FP32[-1,4] requires 4 per item.", Assert.IsType<BadInputException>(results[1].Error).Message);
        Assert.Equal("The item is null.", results[2].Error!.Message);
        Assert.Equal([0, 0, 0, 2], results[3].Value);
        Assert.All(await model.RunEachAsync<float, float>([[1]]), result => Assert.IsType<BadInputException>(result.Error));
        Assert.Empty(await model.RunEachAsync<float, float>([]));
    }

    [Fact]
    public async Task RunEachAsync_RunFails_ItemsAreRunOneByOne()
    {
        // Looks up elements of a table of three by index.
        using var model = await _models.LoadAsync(new OnnxTestModel()
            .Input("x", TensorType.Int64, "n,1").Output("y", TensorType.Float32, "n,1").Weights("table", [10, 20, 30], 3).Node("Gather", ["table", "x"], ["y"]));

        var results = await model.RunEachAsync<long, float>([[0], [7], [2]]);

        Assert.Equal([10], results[0].Value);
        Assert.IsType<BadInputException>(results[1].Error);
        Assert.Equal([30], results[2].Value);
    }

    private static async Task RefusedAsync(string message, OnnxModel model, IReadOnlyList<float[]> items) =>
        Assert.Equal(message, (await Assert.ThrowsAsync<BadInputException>(() => model.RunAsync(items))).Message);
}
