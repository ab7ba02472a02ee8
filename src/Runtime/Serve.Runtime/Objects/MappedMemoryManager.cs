using System.Buffers;

namespace Serve.Runtime.Objects;

/// <summary>A segment's bytes as memory of a type: mapped, not copied, as long as any part of it is in use.</summary>
internal sealed unsafe class MappedMemoryManager<T>(SegmentMapping mapping) : MemoryManager<T>
    where T : unmanaged
{
    public override Span<T> GetSpan() => new(mapping.Pointer, checked((int)(mapping.Length / sizeof(T))));

    public override MemoryHandle Pin(int elementIndex = 0) => new((T*)mapping.Pointer + elementIndex, default, this);

    public override void Unpin()
    {
    }

    // Nobody disposes it: it ends when the collector finds that nobody has it.
    protected override void Dispose(bool disposing)
    {
    }
}
