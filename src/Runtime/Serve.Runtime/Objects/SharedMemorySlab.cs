using Microsoft.Win32.SafeHandles;

namespace Serve.Runtime.Objects;

/// <summary>
/// Shared memory that this process keeps mapped and uses for one segment after another, so that the pages are there already. Only this mapping can
/// change it. Its first bytes say which use of it this is. Its state is written under its lock; who has it is its pool's to say.
/// </summary>
internal sealed unsafe class SharedMemorySlab : IDisposable
{
    /// <summary>Smaller segments are not worth a mapping.</summary>
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
        this._file = file;
        Name = name;
        this._memory = memory;
        Capacity = capacity;
    }

    public SharedMemorySlabPool Pool { get; }

    public SafeFileHandle File => _file;

    public string Name { get; }

    /// <summary>Bytes that it can have.</summary>
    public long Capacity { get; }

    /// <summary>Bytes that it takes of the machine's memory: as many as the longest segment had that was in it.</summary>
    public long ResidentBytes { get; private set; }

    /// <summary>Which use of it this is, from 1.</summary>
    public long UseNumber { get; private set; } = 1;

    /// <returns>Null where the kernel has not all that it takes.</returns>
    /// <exception cref="IOException">There is no memory for it.</exception>
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

    /// <summary>Copies bytes into it. Only who has it from its pool calls this.</summary>
    /// <param name="start">The bytes.</param>
    /// <param name="length">How many.</param>
    /// <param name="offset">Where they go; the number of the use goes before them.</param>
    /// <returns>False where the kernel cannot get pages without a fault that ends the process if there are none.</returns>
    /// <exception cref="IOException">There is no memory for them.</exception>
    public bool TryWrite(byte* start, long length, long offset)
    {
        // What is there already, then what is not.
        var there = Math.Clamp(_written - offset, 0, length);
        Buffer.MemoryCopy(start, _memory + offset, there, there);
        if (there < length && !TryWriteNew(start + there, length - there, offset + there))
            return false;
        _written = Math.Max(_written, offset + length);
        ResidentBytes = Math.Max(ResidentBytes, length);
        *(long*)_memory = UseNumber;
        return true;
    }

    /// <summary>This process maps it to read.</summary>
    public void AddView() => Interlocked.Increment(ref _views);

    public void RemoveView() => Interlocked.Decrement(ref _views);

    /// <summary>Another process was told of it.</summary>
    public void MarkShared() => Volatile.Write(ref _wasLent, true);

    /// <summary>Its use is over: who has been told of it and has not opened it yet finds that another has begun.</summary>
    public void EndUse()
    {
        lock (_sync)
        {
            UseNumber++;
            if (_memory is not null)
                Volatile.Write(ref *(long*)_memory, UseNumber);
        }
    }

    /// <summary>Whether nobody can read what is in it, so that it may be overwritten. Asked after <see cref="EndUse"/>.</summary>
    public bool HasNoReaders()
    {
        if (Volatile.Read(ref _views) > 0)
            return false;
        if (!Volatile.Read(ref _wasLent))
            return true;

        // Not what readers say, what the kernel knows: whoever has the file open or mapped has it open still. Who opens it from now on looks at the use.
        if (!MemoryFileReaderProbe.HasNoReaders(_file))
            return false;
        Volatile.Write(ref _wasLent, false);
        return true;
    }

    /// <summary>Gives it up. Others that map it keep what is in it.</summary>
    public void Dispose()
    {
        Unmap();
        _file.Dispose();
        GC.SuppressFinalize(this);
    }

    // Pages that are not there yet. The kernel hands them out from another thread, as far as one is free to: that is half of the work.
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
