using System.IO.MemoryMappedFiles;

namespace Serve.Runtime.Objects;

/// <summary>A segment's bytes in this process's memory, until disposed or collected.</summary>
internal sealed unsafe class SegmentMapping : IDisposable
{
    private readonly MemoryMappedViewAccessor _view;
    private readonly SharedMemorySlab? _slab;
    private SharedMemorySegment? _segment;

    public SegmentMapping(MemoryMappedViewAccessor view, long offset, long length, SharedMemorySlab? slab)
    {
        this._view = view;
        this._slab = slab;
        slab?.AddView();
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        Pointer = start + view.PointerOffset + offset;
        Length = length;
    }

    public byte* Pointer { get; }

    public long Length { get; }

    /// <summary>Has the segment stay open as long as this is in use, so that whoever comes next finds this by it.</summary>
    public void KeepSegmentOpen(SharedMemorySegment opened) => _segment = opened;

    public void Dispose()
    {
        if (_view.SafeMemoryMappedViewHandle.IsClosed)
            return;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _segment = null;
        _slab?.RemoveView();
        GC.SuppressFinalize(this);
    }

    // The pointer is a count on the handle, which alone would never fall to zero.
    ~SegmentMapping()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _slab?.RemoveView();
    }
}
