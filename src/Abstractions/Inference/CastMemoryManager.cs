using System.Buffers;
using System.Runtime.InteropServices;

namespace Serve;

/// <summary>View of bytes as elements. Keeps the bytes alive and pins them.</summary>
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
        public MemoryHandle Pin(int elementIndex) => throw new NotSupportedException("The memory is already pinned.");

        public void Unpin() => handle.Dispose();
    }
}
