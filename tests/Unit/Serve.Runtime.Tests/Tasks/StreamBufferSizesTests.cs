using Serve.Runtime.Tasks;

namespace Serve.Runtime.Tests.Tasks;

public sealed class StreamBufferSizesTests
{
    // Items of the window that the driver has not accepted, and the last one that it has not accepted for want of space.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(16)]
    [InlineData(1000)]
    [InlineData(null)]
    public void ForProducerInWorker_AnyLimit_AddsUpToIt(int? limit)
    {
        var sizes = StreamBufferSizes.ForProducerInWorker(limit);

        Assert.Equal(Math.Max(1, limit ?? 16), Math.Max(0, sizes.Buffer - 1) + sizes.Window);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(16)]
    [InlineData(1000)]
    [InlineData(null)]
    public void ForReaderInWorker_AnyLimit_AddsUpToIt(int? limit)
    {
        var sizes = StreamBufferSizes.ForReaderInWorker(limit);

        Assert.Equal(limit ?? 16, sizes.Buffer + (2 * sizes.Window) - 1);
    }
}
