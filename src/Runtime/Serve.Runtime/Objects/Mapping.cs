using System.IO.MemoryMappedFiles;

namespace Serve.Runtime.Objects;

/// <summary>A segment's bytes in this process's memory, until disposed or collected.</summary>
internal sealed unsafe class Mapping : IDisposable
{
    private readonly MemoryMappedViewAccessor view;
    private readonly Slab? slab;
    private Segment? segment;

    public Mapping(MemoryMappedViewAccessor view, long offset, long length, Slab? slab)
    {
        this.view = view;
        this.slab = slab;
        slab?.AddView();
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        Pointer = start + view.PointerOffset + offset;
        Length = length;
    }

    public byte* Pointer { get; }

    public long Length { get; }

    /// <summary>Has the segment stay open as long as this is in use, so that whoever comes next finds this by it.</summary>
    public void KeepOpen(Segment opened) => segment = opened;

    public void Dispose()
    {
        if (view.SafeMemoryMappedViewHandle.IsClosed)
            return;
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        segment = null;
        slab?.RemoveView();
        GC.SuppressFinalize(this);
    }

    // The pointer is a count on the handle, which alone would never fall to zero.
    ~Mapping()
    {
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        slab?.RemoveView();
    }
}
