using System.Collections.Concurrent;
using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace Serve.Runtime.Objects;

/// <summary>
/// Bytes that several processes can map: on Linux memory without a name, elsewhere a temporary file that goes with its last handle. Written once by
/// who creates it, never changed. Open until disposed or collected; mappings outlive it.
/// </summary>
internal sealed class SharedMemorySegment : IDisposable
{
    private const int LargestWrite = 1 << 30;

    private static readonly ConcurrentDictionary<string, WeakReference<SharedMemorySegment>> Opened = new();
    private static long _lastNumber;

    private readonly SafeFileHandle _file;
    private readonly string? _path;
    private readonly string _name;
    private readonly WeakReference<SharedMemorySegment> _self;
    private readonly WeakDecodedValue _mapping = new();
    private readonly SharedMemorySlab? _slab;
    private int _closed;

    private SharedMemorySegment(SafeFileHandle file, string name, string? path, long offset, long length, long use = 0)
    {
        this._file = file;
        this._name = name;
        this._path = path;
        _self = new(this);
        Offset = offset;
        Length = length;
        UseNumber = use;
    }

    private SharedMemorySegment(SharedMemorySlab slab, long offset, long length)
        : this(slab.File, slab.Name, null, offset, length, slab.UseNumber) => this._slab = slab;

    /// <summary>Whether memory is used rather than files; a test may say otherwise.</summary>
    internal static bool InMemory { get; set; } = OperatingSystem.IsLinux();

    public static int PageSize => Environment.SystemPageSize;

    /// <summary>Where in the file its bytes begin: where in its first page an array's elements lie when the collector gives it a region of its own, so that pages of the one can stand for pages of the other.</summary>
    public long Offset { get; }

    public long Length { get; }

    /// <summary>Bytes of memory that it takes: a little more than it has where it lies in memory that had a longer one before.</summary>
    public long ResidentBytes => _slab is null ? Length : _slab.ResidentBytes;

    /// <summary>Which use of its slab it is; 0 for memory of its own.</summary>
    public long UseNumber { get; }

    public SafeFileHandle File => _file;

    public bool IsClosed => Volatile.Read(ref _closed) != 0 || _file.IsClosed;

    /// <summary>What this process has made of it and still uses.</summary>
    public WeakDecodedValue Decoded { get; } = new();

    /// <summary>Copies bytes into a slab that was taken from its pool; it gets it back where that fails.</summary>
    /// <returns>Null where the kernel cannot do that.</returns>
    /// <exception cref="IOException">There is no memory for it.</exception>
    public static unsafe SharedMemorySegment? TryCreate(SharedMemorySlab slab, byte* start, long length, int rank)
    {
        var offset = MappedArrayFactory.DataOffset(rank);
        SharedMemorySegment? segment = null;
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
    public static unsafe SharedMemorySegment Create(byte* start, long length, int rank = 1)
    {
        var segment = CreateEmpty(length, rank);
        try
        {
            for (long done = 0; done < length; done += LargestWrite)
                RandomAccess.Write(segment._file, new ReadOnlySpan<byte>(start + done, (int)Math.Min(LargestWrite, length - done)), segment.Offset + done);
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
    public static SharedMemorySegment Create(SafeFileHandle from, long length, int rank)
    {
        var segment = CreateEmpty(length, rank);
        try
        {
            var buffer = new byte[1 << 20];
            for (long done = 0; done < length;)
            {
                var read = RandomAccess.Read(from, buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - done)), done);
                if (read == 0)
                    throw new EndOfStreamException($"It ends after {done} of {length} bytes.");
                RandomAccess.Write(segment._file, buffer.AsSpan(0, read), segment.Offset + done);
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
    public static SharedMemorySegment Open(SegmentDescriptor descriptor)
    {
        if (Opened.TryGetValue(descriptor.Name, out var weak) && weak.TryGetTarget(out var open) && !open.IsClosed && open.UseNumber == descriptor.Use)
            return open;
        SafeFileHandle file;
        try
        {
            file = System.IO.File.OpenHandle(
                descriptor.Path.Length > 0 ? descriptor.Path : $"/proc/{descriptor.ProcessId}/fd/{descriptor.FileDescriptor}", FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception thrown) when (thrown is IOException or UnauthorizedAccessException)
        {
            throw new ObjectLostException($"Shared memory of process {descriptor.ProcessId} is gone: {thrown.Message}", thrown);
        }

        // The number may stand for another file by now, and the file for another use of it.
        if (descriptor.Path.Length == 0 && (new FileInfo($"/proc/self/fd/{file.DangerousGetHandle()}").LinkTarget?.EndsWith($":{descriptor.Name} (deleted)", StringComparison.Ordinal) != true || (descriptor.Use > 0 && ReadUseNumber(file) != descriptor.Use)))
        {
            file.Dispose();
            throw new ObjectLostException($"Shared memory of process {descriptor.ProcessId} is gone: it was closed before it was opened here.");
        }

        var segment = new SharedMemorySegment(file, descriptor.Name, descriptor.Path.Length > 0 ? descriptor.Path : null, descriptor.Offset, descriptor.Length, descriptor.Use);
        segment.Register();
        return segment;
    }

    /// <summary>How another process opens it, as long as this one has it open.</summary>
    public SegmentDescriptor Describe()
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        _slab?.MarkShared();
        return new(_path ?? "", Environment.ProcessId, (int)_file.DangerousGetHandle(), _name, Offset, Length, UseNumber);
    }

    /// <summary>Maps it; what is written to the pages stays in this process.</summary>
    public SegmentMapping Map()
    {
        using var mapped = MemoryMappedFile.CreateFromFile(_file, null, 0, MemoryMappedFileAccess.CopyOnWrite, HandleInheritability.None, leaveOpen: true);
        return new(mapped.CreateViewAccessor(0, Offset + Length, MemoryMappedFileAccess.CopyOnWrite), Offset, Length, _slab);
    }

    /// <summary>The mapping that everybody shares who reads it as memory, as long as one does.</summary>
    public SegmentMapping ShareMapping() => _mapping.GetOrCreate(typeof(SegmentMapping), () =>
    {
        var made = Map();
        made.KeepSegmentOpen(this);
        return made;
    });

    /// <summary>Writes its bytes to a file.</summary>
    public void CopyTo(SafeFileHandle to)
    {
        var buffer = new byte[1 << 20];
        for (long done = 0; done < Length;)
        {
            var read = RandomAccess.Read(_file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, Length - done)), Offset + done);
            RandomAccess.Write(to, buffer.AsSpan(0, read), done);
            done += read;
        }
    }

    /// <summary>Pages of an array of this process are its own: they are read until <see cref="RemoveArrayView"/>.</summary>
    public void AddArrayView() => _slab?.AddView();

    public void RemoveArrayView() => _slab?.RemoveView();

    /// <summary>Closes it, and leaves its memory to the next if that can be.</summary>
    public void Recycle()
    {
        if (_slab is null)
            Dispose();
        else if (Close())
            _slab.Pool.Return(_slab);
    }

    /// <summary>Closes it. Its memory is free when nobody maps it.</summary>
    public void Dispose()
    {
        if (Close())
        {
            if (_slab is null)
                _file.Dispose();
            else
                _slab.Pool.Discard(_slab);
        }

        GC.SuppressFinalize(this);
    }

    internal static string NextName() => $"serve-{Environment.ProcessId}-{Interlocked.Increment(ref _lastNumber)}";

    private bool Close()
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0)
            return false;
        Unregister();
        return true;
    }

    private static long ReadUseNumber(SafeFileHandle file)
    {
        Span<byte> first = stackalloc byte[sizeof(long)];
        return RandomAccess.Read(file, first, 0) == first.Length ? BitConverter.ToInt64(first) : 0;
    }

    private static SharedMemorySegment CreateEmpty(long length, int rank)
    {
        var name = NextName();
        if (InMemory)
            return new(LinuxSharedMemory.CreateFile(name), name, null, MappedArrayFactory.DataOffset(rank), length);
        var path = Path.Combine(Path.GetTempPath(), name + ".segment");
        return new(System.IO.File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, FileOptions.DeleteOnClose), name, path, 0, length);
    }

    private void Finish()
    {
        if (_path is null)
            LinuxSharedMemory.Seal(_file);
        Register();
    }

    private void Register() => Opened[_name] = _self;

    private void Unregister() => Opened.TryRemove(KeyValuePair.Create(_name, _self));

    ~SharedMemorySegment() => Unregister();
}

/// <summary>How another process opens a segment, while this one has it open.</summary>
/// <param name="Path">Its file where memory without a name does not exist; otherwise empty, and the file is <c>/proc/ProcessId/fd/FileDescriptor</c>.</param>
/// <param name="ProcessId">The process that has it open.</param>
/// <param name="FileDescriptor">Its descriptor in that process.</param>
/// <param name="Name">Verifies that the descriptor still refers to the same memory.</param>
/// <param name="Offset">Where in the file the bytes begin.</param>
/// <param name="Length">Number of bytes.</param>
/// <param name="Use">Which use of the memory is meant, where it is used for one segment after another; otherwise 0.</param>
internal sealed record SegmentDescriptor(string Path, int ProcessId, int FileDescriptor, string Name, long Offset, long Length, long Use);
