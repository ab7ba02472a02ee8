using System.Buffers;
using System.Runtime.InteropServices;

namespace Serve;

/// <summary>Bytes seen as elements. Keeps what it was made of alive and pins through it.</summary>
internal sealed class CastMemoryManager<T>(Memory<byte> bytes) : MemoryManager<T>
    where T : unmanaged
{
    public override Span<T> GetSpan() => MemoryMarshal.Cast<byte, T>(bytes.Span);

    public override unsafe MemoryHandle Pin(int elementIndex = 0)
    {
        var pinned = bytes.Pin();
        return new((T*)pinned.Pointer + elementIndex, pinnable: new Pinned(pinned));
    }

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }

    private sealed class Pinned(MemoryHandle handle) : IPinnable
    {
        public MemoryHandle Pin(int elementIndex) => throw new NotSupportedException("It is pinned already.");

        public void Unpin() => handle.Dispose();
    }
}
