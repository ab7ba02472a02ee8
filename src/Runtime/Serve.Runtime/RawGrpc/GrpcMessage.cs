using System.Buffers;

namespace Serve.Runtime.RawGrpc;

/// <summary>One message's bytes, in an array that goes back to its pool.</summary>
/// <param name="size">How much is likely to come.</param>
public sealed class GrpcMessage(int size) : IDisposable
{
    private byte[] array = ArrayPool<byte>.Shared.Rent(Math.Max(size, 1));

    /// <summary>How many bytes it has.</summary>
    public int Length { get; private set; }

    /// <summary>Its bytes.</summary>
    public Memory<byte> Memory => array.AsMemory(0, Length);

    /// <inheritdoc/>
    public void Dispose()
    {
        var mine = array;
        array = [];
        if (mine.Length > 0)
            ArrayPool<byte>.Shared.Return(mine);
    }

    internal Stream OpenRead() => new MemoryStream(array, 0, Length, writable: false);

    internal void Append(ReadOnlySequence<byte> part, int whole)
    {
        var length = Length + (int)part.Length;
        if (length > array.Length)
            Grow(Math.Min(whole, Math.Max(length, array.Length * 2)));
        part.CopyTo(array.AsSpan(Length));
        Length = length;
    }

    // Whether the stream had no more than that.
    internal bool TryAppend(Stream stream, int limit)
    {
        while (Length <= limit)
        {
            if (Length == array.Length)
                Grow((int)Math.Min(array.Length * 2L, Array.MaxLength));
            var read = stream.Read(array, Length, array.Length - Length);
            if (read == 0)
                return true;
            Length += read;
        }

        return false;
    }

    private void Grow(int needed)
    {
        var larger = ArrayPool<byte>.Shared.Rent(needed);
        array.AsSpan(0, Length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(array);
        array = larger;
    }
}
