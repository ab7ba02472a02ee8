using Microsoft.Win32.SafeHandles;

namespace Serve.Runtime.Objects;

/// <summary>
/// Shared memory that this process keeps mapped and uses for one segment after another, so that its pages are already allocated. Only this mapping can change
/// it. Its first bytes hold the number of the current use. See docs/shared-memory.md for its states. Its state is written under its lock; its pool decides who
/// uses it.
/// </summary>
internal sealed unsafe class SharedMemorySlab : IDisposable
{
    /// <summary>Minimum length of a segment that uses a slab; a mapping is too expensive for smaller ones.</summary>
    public const long MinimumBytes = 1 << 20;

    private const long Chunk = 2 << 20;

    private readonly Lock _sync = new();
    private readonly SafeFileHandle _file;
    private byte* _memory;
    private long _written;
    private int _views;
    private bool _wasLent;

    private SharedMemorySlab(SharedMemorySlabPool pool, SafeFileHandle file, string name, byte* memory, long capacity)
    {
        Pool = pool;
        _file = file;
        Name = name;
        _memory = memory;
        Capacity = capacity;
    }

    public SharedMemorySlabPool Pool { get; }

    public SafeFileHandle File => _file;

    public string Name { get; }

    /// <summary>Maximum number of bytes.</summary>
    public long Capacity { get; }

    /// <summary>Bytes of machine memory in use: the length of the longest segment so far.</summary>
    public long ResidentBytes { get; private set; }

    /// <summary>Number of the current use, from 1.</summary>
    public long UseNumber { get; private set; } = 1;

    /// <summary>Creates a slab.</summary>
    /// <returns>Null if the kernel does not support all required calls.</returns>
    /// <exception cref="IOException">Not enough memory is available.</exception>
    public static SharedMemorySlab? TryCreate(SharedMemorySlabPool pool, string name, long capacity)
    {
        var file = LinuxSharedMemory.CreateFile(name);
        SharedMemorySlab? made = null;
        nint mapped = -1;
        try
        {
            RandomAccess.SetLength(file, capacity);
            mapped = LinuxSharedMemory.MapShared(file, (nint)capacity);
            if (mapped != -1 && LinuxSharedMemory.SealExceptMappings(file))
                made = new(pool, file, name, (byte*)mapped, capacity);
            return made;
        }
        finally
        {
            if (made is null)
            {
                if (mapped != -1)
                    LinuxSharedMemory.Unmap(mapped, (nint)capacity);
                file.Dispose();
            }
        }
    }

    /// <summary>Copies bytes into the slab. Called only by the holder that rented it from the pool.</summary>
    /// <param name="start">Bytes to copy.</param>
    /// <param name="length">Number of bytes.</param>
    /// <param name="offset">Offset in the slab; the use number is stored in front.</param>
    /// <returns>False if the kernel cannot allocate pages without risking a fault that terminates the process.</returns>
    /// <exception cref="IOException">Not enough memory is available.</exception>
    public bool TryWrite(byte* start, long length, long offset)
    {
        // First the pages that are already allocated, then new ones.
        var there = Math.Clamp(_written - offset, 0, length);
        Buffer.MemoryCopy(start, _memory + offset, there, there);
        if (there < length && !TryWriteNew(start + there, length - there, offset + there))
            return false;
        _written = Math.Max(_written, offset + length);
        ResidentBytes = Math.Max(ResidentBytes, length);
        *(long*)_memory = UseNumber;
        return true;
    }

    /// <summary>Counts a mapping of this process that reads the slab.</summary>
    public void AddView() => Interlocked.Increment(ref _views);

    public void RemoveView() => Interlocked.Decrement(ref _views);

    /// <summary>Records that another process may open the slab.</summary>
    public void MarkShared() => Volatile.Write(ref _wasLent, true);

    /// <summary>Ends the current use: a process that has not opened the slab yet then sees that it is used for another segment.</summary>
    public void EndUse()
    {
        lock (_sync)
        {
            UseNumber++;
            if (_memory is not null)
                Volatile.Write(ref *(long*)_memory, UseNumber);
        }
    }

    /// <summary>Returns whether no process can read the slab any more, so that it may be overwritten. Called after <see cref="EndUse"/>.</summary>
    public bool HasNoReaders()
    {
        if (Volatile.Read(ref _views) > 0)
            return false;
        if (!Volatile.Read(ref _wasLent))
            return true;

        // Relies on the kernel, not on readers: a process that has the file open or mapped still counts. A process that opens it from now on checks the use
        // number.
        if (!MemoryFileReaderProbe.HasNoReaders(_file))
            return false;
        Volatile.Write(ref _wasLent, false);
        return true;
    }

    /// <summary>Releases the slab. Processes that map it keep its content.</summary>
    public void Dispose()
    {
        Unmap();
        _file.Dispose();
        GC.SuppressFinalize(this);
    }

    // New pages. A second thread allocates them ahead of the copy where one is free, which halves the time.
    private bool TryWriteNew(byte* start, long length, long offset)
    {
        using var ahead = new PagePrefaulter(_file, offset, length, Chunk);
        for (long done = 0; done < length; done += Chunk)
        {
            ahead.ReportProgress(done);
            var count = Math.Min(Chunk, length - done);
            var first = (nint)(_memory + offset + done) & -(nint)SharedMemorySegment.PageSize;
            if (!LinuxSharedMemory.Populate(first, (nint)(_memory + offset + done + count) - first))
                return false;
            Buffer.MemoryCopy(start + done, _memory + offset + done, count, count);
        }

        return true;
    }

    private void Unmap()
    {
        lock (_sync)
        {
            if (_memory is not null)
                LinuxSharedMemory.Unmap((nint)_memory, (nint)Capacity);
            _memory = null;
        }
    }

    ~SharedMemorySlab() => Unmap();
}
