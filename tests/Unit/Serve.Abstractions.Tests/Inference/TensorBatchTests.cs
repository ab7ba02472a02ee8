using System.Buffers;
using System.Runtime.InteropServices;

namespace Serve.Abstractions.Tests.Inference;

public sealed class TensorBatchTests
{
    [Fact]
    public void Join_EqualShapes_OneBehindTheOther()
    {
        var joined = TensorBatch.Join([Tensor.Of([1, 2, 3, 4], 2, 2), Tensor.Of([5, 6], 1, 2)]);

        Assert.Equal("INT32[3,2]", joined.ToString());
        Assert.Equal([1, 2, 3, 4, 5, 6], joined.ToArray<int>());
    }

    [Fact]
    public void Join_OneTensor_IsThatOne()
    {
        var only = Tensor.Of([1f, 2f], 1, 2);
        using var buffers = new PooledTensorBuffers();

        Assert.Same(only, TensorBatch.Join([only], padding: true, buffers));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Join_ShorterItems_AreFilledUpInEachDimension(bool rents)
    {
        using var buffers = new PooledTensorBuffers();
        Soil<float>(2 * 3 * 2);

        var joined = TensorBatch.Join([Tensor.Of([1f, 2f, 3f, 4f, 5f, 6f], 1, 3, 2), Tensor.Of([7f, 8f], 1, 2, 1)], padding: true, rents ? buffers : null);

        Assert.Equal("FP32[2,3,2]", joined.ToString());
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 0, 8, 0, 0, 0], joined.ToArray<float>());
    }

    [Fact]
    public void Join_ShorterTexts_AreFilledUpWithEmptyOnes()
    {
        using var buffers = new PooledTensorBuffers();
        Soil("old", 4);

        var joined = TensorBatch.Join([Tensor.Of(["a", "b"], 1, 2), Tensor.Of(["c"], 1, 1)], padding: true, buffers);

        Assert.Equal(["a", "b", "c", ""], joined.ToArray<string>());
    }

    [Fact]
    public void Join_OtherLengthsOrTypes_SaysWhich()
    {
        var wide = Assert.Throws<BadInputException>(() => TensorBatch.Join([Tensor.Of([1f], 1, 1), Tensor.Of([1f, 2f], 1, 2)]));
        var whole = Assert.Throws<BadInputException>(() => TensorBatch.Join([Tensor.Of([1f], 1, 1), Tensor.Of([1], 1, 1)], padding: true));
        var deep = Assert.Throws<BadInputException>(() => TensorBatch.Join([Tensor.Of([1f], 1, 1), Tensor.Of([1f], 1, 1, 1)], padding: true));

        Assert.StartsWith("Item 1 is FP32[1,2], but item 0 is FP32[1,1]", wide.Message, StringComparison.Ordinal);
        Assert.StartsWith("Item 1 is INT32[1,1], but item 0 is FP32[1,1]", whole.Message, StringComparison.Ordinal);
        Assert.StartsWith("Item 1 is FP32[1,1,1], but item 0 is FP32[1,1]", deep.Message, StringComparison.Ordinal);
        Assert.Throws<BadInputException>(() => TensorBatch.Join([Tensor.Scalar(1f), Tensor.Scalar(1f)]));
    }

    [Fact]
    public void Join_RowsOfItems_FilledUpInMemoryThatWasUsedBefore()
    {
        using var buffers = new PooledTensorBuffers();
        Soil<float>(6);

        var joined = new ModelItemRows<float>(new("x", TensorType.Float32, [-1, -1])).Join([[1f, 2f, 3f], [4f]], buffers);

        Assert.Equal("FP32[2,3]", joined.ToString());
        Assert.Equal([1, 2, 3, 4, 0, 0], joined.ToArray<float>());
    }

    [Fact]
    public void Buffers_Disposed_AreUsedAgain()
    {
        var buffers = new PooledTensorBuffers();
        var joined = TensorBatch.Join([Tensor.Of(new float[100], 1, 100), Tensor.Of(new float[100], 1, 100)], padding: false, buffers);
        Assert.True(MemoryMarshal.TryGetArray<float>(joined.Data<float>(), out var memory));

        var other = ArrayPool<float>.Shared.Rent(200);
        Assert.NotSame(memory.Array, other);
        buffers.Dispose();
        var again = ArrayPool<float>.Shared.Rent(200);
        buffers.Dispose();
        Assert.NotSame(again, ArrayPool<float>.Shared.Rent(200));

        Assert.Same(memory.Array, again);
    }

    [Fact]
    public void Buffers_OfTexts_StayOutOfThePool()
    {
        var buffers = new PooledTensorBuffers();
        var joined = TensorBatch.Join([Tensor.Of(["a", "b"], 1, 2), Tensor.Of(["c", "d"], 1, 2)], padding: false, buffers);
        Assert.True(MemoryMarshal.TryGetArray<string>(joined.Data<string>(), out var memory));

        buffers.Dispose();

        Assert.NotSame(memory.Array, ArrayPool<string>.Shared.Rent(4));
        Assert.Equal(4, memory.Array!.Length);
    }

    [Fact]
    public void Split_Rows_AreViews()
    {
        var joined = Tensor.Of([1f, 2f, 3f, 4f, 5f, 6f], 3, 2);

        var parts = TensorBatch.Split(joined, [2, 1]);
        joined.Data<float>().Span[4] = 50;

        Assert.Equal(["FP32[2,2]", "FP32[1,2]"], parts.Select(part => part.ToString()));
        Assert.Equal([50, 6], parts[1].ToArray<float>());
        Assert.Throws<ArgumentException>(() => TensorBatch.Split(joined, [2, 2]));
        Assert.Throws<ArgumentException>(() => TensorBatch.Split(joined, [1, 1]));
    }

    private static void Soil<T>(int length)
        where T : unmanaged, System.Numerics.INumber<T> => Soil(T.CreateChecked(7), length);

    // The next rental on this thread returns the same memory.
    private static void Soil<T>(T dirt, int length)
    {
        var array = ArrayPool<T>.Shared.Rent(length);
        array.AsSpan().Fill(dirt);
        ArrayPool<T>.Shared.Return(array);
    }
}
