using System.IO.MemoryMappedFiles;

namespace Serve.Runtime.Objects;

/// <summary>Mapping of a segment's bytes into this process, until disposed or collected.</summary>
internal sealed unsafe class SegmentMapping : IDisposable
{
    private readonly MemoryMappedViewAccessor _view;
    private readonly SharedMemorySlab? _slab;
    private SharedMemorySegment? _segment;

    public SegmentMapping(MemoryMappedViewAccessor view, long offset, long length, SharedMemorySlab? slab)
    {
        _view = view;
        _slab = slab;
        slab?.AddView();
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        Pointer = start + view.PointerOffset + offset;
        Length = length;
    }

    public byte* Pointer { get; }

    public long Length { get; }

    /// <summary>Keeps the segment open as long as the mapping is in use, so that later readers share this mapping.</summary>
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

    // The acquired pointer is a reference count on the handle, which would never reach zero by itself.
    ~SegmentMapping()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _slab?.RemoveView();
    }
}
