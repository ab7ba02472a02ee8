using System.Collections.Concurrent;
using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace Serve.Runtime.Objects;

/// <summary>
/// Bytes that several processes can map: anonymous memory on Linux, a temporary file that is deleted with its last handle elsewhere. Written once by its
/// creator and immutable afterwards. Open until disposed or collected; mappings outlive it.
/// </summary>
public sealed class SharedMemorySegment : IDisposable
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
        _file = file;
        _name = name;
        _path = path;
        _self = new(this);
        Offset = offset;
        Length = length;
        UseNumber = use;
    }

    private SharedMemorySegment(SharedMemorySlab slab, long offset, long length)
        : this(slab.File, slab.Name, null, offset, length, slab.UseNumber) => _slab = slab;

    /// <summary>Whether anonymous memory is used instead of files; set by tests.</summary>
    internal static bool InMemory { get; set; } = OperatingSystem.IsLinux();

    public static int PageSize => Environment.SystemPageSize;

    /// <summary>
    /// Offset of the bytes in the file. It equals the offset of an array's first element in its first page if the collector allocates the array in a region of
    /// its own, so that pages of the file can replace pages of the array.
    /// </summary>
    public long Offset { get; }

    public long Length { get; }

    /// <summary>Bytes of memory in use. Slightly more than the length if the slab has held a longer segment.</summary>
    public long ResidentBytes => _slab is null ? Length : _slab.ResidentBytes;

    /// <summary>Number of the slab's use; 0 for a segment with memory of its own.</summary>
    public long UseNumber { get; }

    public SafeFileHandle File => _file;

    public bool IsClosed => Volatile.Read(ref _closed) != 0 || _file.IsClosed;

    /// <summary>Object that this process has decoded from the segment and still uses.</summary>
    internal WeakDecodedValue Decoded { get; } = new();

    /// <summary>Copies bytes into a rented slab. Returns the slab to its pool on failure.</summary>
    /// <returns>Null if the kernel does not support this.</returns>
    /// <exception cref="IOException">Not enough memory is available.</exception>
    internal static unsafe SharedMemorySegment? TryCreate(SharedMemorySlab slab, byte* start, long length, int rank)
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

    /// <summary>Copies bytes into a new segment.</summary>
    /// <exception cref="IOException">Not enough memory is available.</exception>
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

    /// <summary>Copies a file into a new segment.</summary>
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
                    throw new EndOfStreamException($"The file ends after {done} of {length} bytes.");
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

    /// <summary>Opens the segment described by a message; returns the same instance for the same memory.</summary>
    /// <exception cref="ObjectLostException">The process that owns the memory has exited or has closed it.</exception>
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
            throw new ObjectLostException($"Shared memory of process {descriptor.ProcessId} is no longer available: {thrown.Message}", thrown);
        }

        // The descriptor may refer to another file by now, and the file to a later use.
        if (descriptor.Path.Length == 0 && (new FileInfo($"/proc/self/fd/{file.DangerousGetHandle()}").LinkTarget?.EndsWith($":{descriptor.Name} (deleted)", StringComparison.Ordinal) != true || (descriptor.Use > 0 && ReadUseNumber(file) != descriptor.Use)))
        {
            file.Dispose();
            throw new ObjectLostException($"Shared memory of process {descriptor.ProcessId} is no longer available: it was closed before it was opened here.");
        }

        var segment = new SharedMemorySegment(file, descriptor.Name, descriptor.Path.Length > 0 ? descriptor.Path : null, descriptor.Offset, descriptor.Length, descriptor.Use);
        segment.Register();
        return segment;
    }

    /// <summary>Describes how another process opens the segment, as long as this process keeps it open.</summary>
    public SegmentDescriptor Describe()
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        _slab?.MarkShared();
        return new(_path ?? "", Environment.ProcessId, (int)_file.DangerousGetHandle(), _name, Offset, Length, UseNumber);
    }

    /// <summary>Maps the segment copy-on-write.</summary>
    internal SegmentMapping Map()
    {
        using var mapped = MemoryMappedFile.CreateFromFile(_file, null, 0, MemoryMappedFileAccess.CopyOnWrite, HandleInheritability.None, leaveOpen: true);
        return new(mapped.CreateViewAccessor(0, Offset + Length, MemoryMappedFileAccess.CopyOnWrite), Offset, Length, _slab);
    }

    /// <summary>Returns the mapping that is shared by all current readers of the segment as memory.</summary>
    internal SegmentMapping ShareMapping() => _mapping.GetOrCreate(typeof(SegmentMapping), () =>
    {
        var made = Map();
        made.KeepSegmentOpen(this);
        return made;
    });

    /// <summary>Writes the bytes to a file.</summary>
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

    /// <summary>Counts an array of this process that reads the slab's pages, until <see cref="RemoveArrayView"/>.</summary>
    public void AddArrayView() => _slab?.AddView();

    public void RemoveArrayView() => _slab?.RemoveView();

    /// <summary>Closes the segment and returns its slab for reuse if possible.</summary>
    public void Recycle()
    {
        if (_slab is null)
            Dispose();
        else if (Close())
            _slab.Pool.Return(_slab);
    }

    /// <summary>Closes the segment. Its memory is freed when no process maps it.</summary>
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
public sealed record SegmentDescriptor(string Path, int ProcessId, int FileDescriptor, string Name, long Offset, long Length, long Use);
