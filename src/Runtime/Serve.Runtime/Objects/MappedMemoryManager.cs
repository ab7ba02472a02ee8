using System.Buffers;

namespace Serve.Runtime.Objects;

/// <summary>Memory of a type over a segment's bytes: mapped, not copied, and kept alive as long as any part of it is in use.</summary>
internal sealed unsafe class MappedMemoryManager<T>(SegmentMapping mapping) : MemoryManager<T>
    where T : unmanaged
{
    public override Span<T> GetSpan() => new(mapping.Pointer, checked((int)(mapping.Length / sizeof(T))));

    public override MemoryHandle Pin(int elementIndex = 0) => new((T*)mapping.Pointer + elementIndex, default, this);

    public override void Unpin()
    {
    }

    // Not disposed by its users: the mapping ends when it is collected.
    protected override void Dispose(bool disposing)
    {
    }
}
