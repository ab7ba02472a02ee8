using System.Buffers;

namespace Serve.Replica.ModelServing.Protocol;

/// <summary>A buffer to write into, of an array that goes back to its pool.</summary>
/// <param name="sizeHint">How much is likely to be written.</param>
internal sealed class PooledBuffer(int sizeHint = 1024) : IBufferWriter<byte>, IDisposable
{
    private byte[] array = ArrayPool<byte>.Shared.Rent(sizeHint);

    public int Length { get; private set; }

    public Memory<byte> Written => array.AsMemory(0, Length);

    public void Advance(int count) => Length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Grow(sizeHint);
        return array.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Grow(sizeHint);
        return array.AsSpan(Length);
    }

    public void Dispose()
    {
        var mine = array;
        array = [];
        if (mine.Length > 0)
            ArrayPool<byte>.Shared.Return(mine);
    }

    private void Grow(int sizeHint)
    {
        var needed = Length + Math.Max(sizeHint, 1);
        if (needed <= array.Length)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, array.Length * 2));
        array.AsSpan(0, Length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(array);
        array = larger;
    }
}
