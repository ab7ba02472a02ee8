using Microsoft.Win32.SafeHandles;

namespace Serve.Runtime.Objects;

/// <summary>
/// Shared memory that this process keeps mapped and uses for one segment after another, so that the pages are there already. Only this mapping can
/// change it. Its first bytes say which use of it this is. Its state is written under its lock; who has it is its pool's to say.
/// </summary>
internal sealed unsafe class Slab : IDisposable
{
    /// <summary>Smaller segments are not worth a mapping.</summary>
    public const long Least = 1 << 20;

    private const long Chunk = 2 << 20;

    private readonly Lock sync = new();
    private readonly SafeFileHandle file;
    private byte* memory;
    private long written;
    private int views;
    private bool wasLent;

    private Slab(SlabPool pool, SafeFileHandle file, string name, byte* memory, long capacity)
    {
        Pool = pool;
        this.file = file;
        Name = name;
        this.memory = memory;
        Capacity = capacity;
    }

    public SlabPool Pool { get; }

    public SafeFileHandle File => file;

    public string Name { get; }

    /// <summary>Bytes that it can have.</summary>
    public long Capacity { get; }

    /// <summary>Bytes that it takes of the machine's memory: as many as the longest segment had that was in it.</summary>
    public long Resident { get; private set; }

    /// <summary>Which use of it this is, from 1.</summary>
    public long Use { get; private set; } = 1;

    /// <returns>Null where the kernel has not all that it takes.</returns>
    /// <exception cref="IOException">There is no memory for it.</exception>
    public static Slab? TryCreate(SlabPool pool, string name, long capacity)
    {
        var file = NativeMemory.CreateFile(name);
        Slab? made = null;
        nint mapped = -1;
        try
        {
            RandomAccess.SetLength(file, capacity);
            mapped = NativeMemory.Share(file, (nint)capacity);
            if (mapped != -1 && NativeMemory.SealButForMapping(file))
                made = new(pool, file, name, (byte*)mapped, capacity);
            return made;
        }
        finally
        {
            if (made is null)
            {
                if (mapped != -1)
                    NativeMemory.Unmap(mapped, (nint)capacity);
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
        var there = Math.Clamp(written - offset, 0, length);
        Buffer.MemoryCopy(start, memory + offset, there, there);
        if (there < length && !TryWriteNew(start + there, length - there, offset + there))
            return false;
        written = Math.Max(written, offset + length);
        Resident = Math.Max(Resident, length);
        *(long*)memory = Use;
        return true;
    }

    /// <summary>This process maps it to read.</summary>
    public void AddView() => Interlocked.Increment(ref views);

    public void RemoveView() => Interlocked.Decrement(ref views);

    /// <summary>Another process was told of it.</summary>
    public void Lend() => Volatile.Write(ref wasLent, true);

    /// <summary>Its use is over: who has been told of it and has not opened it yet finds that another has begun.</summary>
    public void EndUse()
    {
        lock (sync)
        {
            Use++;
            if (memory is not null)
                Volatile.Write(ref *(long*)memory, Use);
        }
    }

    /// <summary>Whether nobody can read what is in it, so that it may be overwritten. Asked after <see cref="EndUse"/>.</summary>
    public bool IsUnread()
    {
        if (Volatile.Read(ref views) > 0)
            return false;
        if (!Volatile.Read(ref wasLent))
            return true;

        // Not what readers say, what the kernel knows: whoever has the file open or mapped has it open still. Who opens it from now on looks at the use.
        if (!FileReaders.AreNone(file))
            return false;
        Volatile.Write(ref wasLent, false);
        return true;
    }

    /// <summary>Gives it up. Others that map it keep what is in it.</summary>
    public void Dispose()
    {
        Unmap();
        file.Dispose();
        GC.SuppressFinalize(this);
    }

    // Pages that are not there yet. The kernel hands them out from another thread, as far as one is free to: that is half of the work.
    private bool TryWriteNew(byte* start, long length, long offset)
    {
        using var ahead = new PagesAhead(file, offset, length, Chunk);
        for (long done = 0; done < length; done += Chunk)
        {
            ahead.Reached(done);
            var count = Math.Min(Chunk, length - done);
            var first = (nint)(memory + offset + done) & -(nint)Segment.PageSize;
            if (!NativeMemory.Populate(first, (nint)(memory + offset + done + count) - first))
                return false;
            Buffer.MemoryCopy(start + done, memory + offset + done, count, count);
        }

        return true;
    }

    private void Unmap()
    {
        lock (sync)
        {
            if (memory is not null)
                NativeMemory.Unmap((nint)memory, (nint)Capacity);
            memory = null;
        }
    }

    ~Slab() => Unmap();
}
