using System.Collections.Concurrent;
using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace Serve.Runtime.Objects;

/// <summary>
/// Bytes that several processes can map: on Linux memory without a name, elsewhere a temporary file that goes with its last handle. Written once by
/// who creates it, never changed. Open until disposed or collected; mappings outlive it.
/// </summary>
internal sealed class Segment : IDisposable
{
    private const int LargestWrite = 1 << 30;

    private static readonly ConcurrentDictionary<string, WeakReference<Segment>> Opened = new();
    private static long lastNumber;

    private readonly SafeFileHandle file;
    private readonly string? path;
    private readonly string name;
    private readonly WeakReference<Segment> self;
    private readonly DecodedValue mapping = new();
    private readonly Slab? slab;
    private int closed;

    private Segment(SafeFileHandle file, string name, string? path, long offset, long length, long use = 0)
    {
        this.file = file;
        this.name = name;
        this.path = path;
        self = new(this);
        Offset = offset;
        Length = length;
        Use = use;
    }

    private Segment(Slab slab, long offset, long length)
        : this(slab.File, slab.Name, null, offset, length, slab.Use) => this.slab = slab;

    /// <summary>Whether memory is used rather than files; a test may say otherwise.</summary>
    internal static bool InMemory { get; set; } = OperatingSystem.IsLinux();

    public static int PageSize => Environment.SystemPageSize;

    /// <summary>Where in the file its bytes begin: where in its first page an array's elements lie when the collector gives it a region of its own, so that pages of the one can stand for pages of the other.</summary>
    public long Offset { get; }

    public long Length { get; }

    /// <summary>Bytes of memory that it takes: a little more than it has where it lies in memory that had a longer one before.</summary>
    public long Resident => slab is null ? Length : slab.Resident;

    /// <summary>Which use of its slab it is; 0 for memory of its own.</summary>
    public long Use { get; }

    public SafeFileHandle File => file;

    public bool IsClosed => Volatile.Read(ref closed) != 0 || file.IsClosed;

    /// <summary>What this process has made of it and still uses.</summary>
    public DecodedValue Decoded { get; } = new();

    /// <summary>Copies bytes into a slab that was taken from its pool; it gets it back where that fails.</summary>
    /// <returns>Null where the kernel cannot do that.</returns>
    /// <exception cref="IOException">There is no memory for it.</exception>
    public static unsafe Segment? TryCreate(Slab slab, byte* start, long length, int rank)
    {
        var offset = MappedArrays.DataOffset(rank);
        Segment? segment = null;
        try
        {
            if (slab.TryWrite(start, length, offset))
                segment = new(slab, offset, length);
        }
        finally
        {
            if (segment is null)
                slab.Pool.Discard(slab);
        }

        segment?.Register();
        return segment;
    }

    /// <summary>Copies bytes into a new one.</summary>
    /// <exception cref="IOException">There is no memory for it.</exception>
    public static unsafe Segment Create(byte* start, long length, int rank = 1)
    {
        var segment = Empty(length, rank);
        try
        {
            for (long done = 0; done < length; done += LargestWrite)
                RandomAccess.Write(segment.file, new ReadOnlySpan<byte>(start + done, (int)Math.Min(LargestWrite, length - done)), segment.Offset + done);
        }
        catch
        {
            segment.Dispose();
            throw;
        }

        segment.Finish();
        return segment;
    }

    /// <summary>Copies the whole of a file into a new one.</summary>
    public static Segment Create(SafeFileHandle from, long length, int rank)
    {
        var segment = Empty(length, rank);
        try
        {
            var buffer = new byte[1 << 20];
            for (long done = 0; done < length;)
            {
                var read = RandomAccess.Read(from, buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - done)), done);
                if (read == 0)
                    throw new EndOfStreamException($"It ends after {done} of {length} bytes.");
                RandomAccess.Write(segment.file, buffer.AsSpan(0, read), segment.Offset + done);
                done += read;
            }
        }
        catch
        {
            segment.Dispose();
            throw;
        }

        segment.Finish();
        return segment;
    }

    /// <summary>Opens the one that a message tells of; the same one for the same memory.</summary>
    /// <exception cref="ObjectLostException">The process that had it is gone, or has closed it.</exception>
    public static Segment Open(Wire.Segment wire)
    {
        if (Opened.TryGetValue(wire.Name, out var weak) && weak.TryGetTarget(out var open) && !open.IsClosed && open.Use == wire.Use)
            return open;
        SafeFileHandle file;
        try
        {
            file = System.IO.File.OpenHandle(
                wire.Path.Length > 0 ? wire.Path : $"/proc/{wire.ProcessId}/fd/{wire.FileDescriptor}", FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception thrown) when (thrown is IOException or UnauthorizedAccessException)
        {
            throw new ObjectLostException($"Shared memory of process {wire.ProcessId} is gone: {thrown.Message}", thrown);
        }

        // The number may stand for another file by now, and the file for another use of it.
        if (wire.Path.Length == 0 && (new FileInfo($"/proc/self/fd/{file.DangerousGetHandle()}").LinkTarget?.EndsWith($":{wire.Name} (deleted)", StringComparison.Ordinal) != true || (wire.Use > 0 && UseOf(file) != wire.Use)))
        {
            file.Dispose();
            throw new ObjectLostException($"Shared memory of process {wire.ProcessId} is gone: it was closed before it was opened here.");
        }

        var segment = new Segment(file, wire.Name, wire.Path.Length > 0 ? wire.Path : null, wire.Offset, wire.Length, wire.Use);
        segment.Register();
        return segment;
    }

    /// <summary>How another process opens it, as long as this one has it open.</summary>
    public Wire.Segment ToWire()
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        slab?.Lend();
        return new()
        {
            Path = path ?? "",
            ProcessId = Environment.ProcessId,
            FileDescriptor = (int)file.DangerousGetHandle(),
            Name = name,
            Offset = Offset,
            Length = Length,
            Use = Use,
        };
    }

    /// <summary>Maps it; what is written to the pages stays in this process.</summary>
    public Mapping Map()
    {
        using var mapped = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.CopyOnWrite, HandleInheritability.None, leaveOpen: true);
        return new(mapped.CreateViewAccessor(0, Offset + Length, MemoryMappedFileAccess.CopyOnWrite), Offset, Length, slab);
    }

    /// <summary>The mapping that everybody shares who reads it as memory, as long as one does.</summary>
    public Mapping ShareMapping() => mapping.GetOrMake(typeof(Mapping), () =>
    {
        var made = Map();
        made.KeepOpen(this);
        return made;
    });

    /// <summary>Writes its bytes to a file.</summary>
    public void CopyTo(SafeFileHandle to)
    {
        var buffer = new byte[1 << 20];
        for (long done = 0; done < Length;)
        {
            var read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, Length - done)), Offset + done);
            RandomAccess.Write(to, buffer.AsSpan(0, read), done);
            done += read;
        }
    }

    /// <summary>Pages of an array of this process are its own: they are read until <see cref="Uncovered"/>.</summary>
    public void Covered() => slab?.AddView();

    public void Uncovered() => slab?.RemoveView();

    /// <summary>Closes it, and leaves its memory to the next if that can be.</summary>
    public void Recycle()
    {
        if (slab is null)
            Dispose();
        else if (Close())
            slab.Pool.Return(slab);
    }

    /// <summary>Closes it. Its memory is free when nobody maps it.</summary>
    public void Dispose()
    {
        if (Close())
        {
            if (slab is null)
                file.Dispose();
            else
                slab.Pool.Discard(slab);
        }

        GC.SuppressFinalize(this);
    }

    internal static string NextName() => $"serve-{Environment.ProcessId}-{Interlocked.Increment(ref lastNumber)}";

    private bool Close()
    {
        if (Interlocked.Exchange(ref closed, 1) != 0)
            return false;
        Unregister();
        return true;
    }

    private static long UseOf(SafeFileHandle file)
    {
        Span<byte> first = stackalloc byte[sizeof(long)];
        return RandomAccess.Read(file, first, 0) == first.Length ? BitConverter.ToInt64(first) : 0;
    }

    private static Segment Empty(long length, int rank)
    {
        var name = NextName();
        if (InMemory)
            return new(NativeMemory.CreateFile(name), name, null, MappedArrays.DataOffset(rank), length);
        var path = Path.Combine(Path.GetTempPath(), name + ".segment");
        return new(System.IO.File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, FileOptions.DeleteOnClose), name, path, 0, length);
    }

    private void Finish()
    {
        if (path is null)
            NativeMemory.Seal(file);
        Register();
    }

    private void Register() => Opened[name] = self;

    private void Unregister() => Opened.TryRemove(KeyValuePair.Create(name, self));

    ~Segment() => Unregister();
}
