using System.Diagnostics;
using Serve.Runtime.Serialization;

namespace Serve.Runtime.Objects;

/// <summary>
/// Object whose bytes are stored in shared memory, or on disk while memory is short. The location is written under its lock, by its readers and by its store.
/// </summary>
public sealed class SharedMemoryObject : EncodedObject, IDisposable
{
    private readonly Lock _sync = new();
    private readonly IObjectByteOwner? _owner;
    private volatile SharedMemorySegment? _segment;
    private volatile string? _file;
    private string? _lost;
    private ObjectRef? _again;
    private int _pins;

    /// <summary>Creates an object.</summary>
    /// <param name="codec">Codec that decodes it.</param>
    /// <param name="shape">Shape of the encoded value.</param>
    /// <param name="segment">Its bytes.</param>
    /// <param name="owner">Store that counts its bytes; null in a worker.</param>
    internal SharedMemoryObject(IValueCodec codec, EncodedValueShape shape, SharedMemorySegment segment, IObjectByteOwner? owner)
        : base(codec, shape)
    {
        _segment = segment;
        _owner = owner;
        Size = segment.Length;
        if (owner is not null)
            GC.AddMemoryPressure(Size);
    }

    public override long Size { get; }

    /// <summary>Weak reference to the object reference; null for an argument passed by value.</summary>
    public WeakReference<ObjectRef>? Reference { get; private set; }

    /// <summary>Name of the task that created the object, for listings; null if it was put.</summary>
    public string? CreatedBy { get; set; }

    /// <summary>Lineage to recompute lost bytes; null if the object cannot be recomputed.</summary>
    internal IObjectLineage? Lineage { get; set; }

    // Read without a lock: the store reads them under its own lock, which is acquired inside of this object's lock.

    /// <summary>Whether the bytes have been released.</summary>
    public bool IsReleased => _segment is null && _file is null;

    public bool IsSpilled => _segment is null && _file is not null;

    public override bool CachesLoadedValue => Shape.Format == EncodedValueFormat.Elements;

    public override void AttachTo(ObjectRef reference)
    {
        base.AttachTo(reference);
        Reference = new(reference);
    }

    internal override PinnedByteView Open()
    {
        var mapping = Use(static bytes => bytes.Map());
        unsafe
        {
            return new(mapping.Pointer, mapping.Length, mapping);
        }
    }

    /// <summary>Loads the object as an array; concurrent readers share one instance.</summary>
    public Array LoadArray(Type type, Type element, int elementSize) =>
        Use(bytes => bytes.Decoded.GetOrCreate(type, () => MappedArrayFactory.Read(bytes, element, elementSize, Shape.Lengths)));

    /// <summary>Caches the instance that the bytes were encoded from, as long as it is in use elsewhere.</summary>
    public void CacheDecoded(object value)
    {
        lock (_sync)
            _segment?.Decoded.Set(value);
    }

    /// <summary>Maps the bytes as memory for as long as it is in use.</summary>
    public ReadOnlyMemory<T> LoadMemory<T>()
        where T : unmanaged => new MappedMemoryManager<T>(Use(static bytes => bytes.ShareMapping())).Memory;

    /// <summary>Describes how another process opens the bytes.</summary>
    /// <exception cref="ObjectRecomputingException">The object is being recomputed.</exception>
    public SegmentDescriptor Describe()
    {
        lock (_sync)
            return (TryAcquire() ?? throw new ObjectRecomputingException(Recompute())).Describe();
    }

    public override bool IsShared => true;

    public override void Pin()
    {
        lock (_sync)
        {
            if (TryAcquire() is null)
                throw new ObjectRecomputingException(Recompute());
            _pins++;
        }
    }

    public override void Unpin()
    {
        lock (_sync)
        {
            Debug.Assert(_pins > 0, "Unpin was called more often than Pin.");
            _pins--;
        }
    }

    /// <summary>Moves the bytes to disk unless the object is in use at the moment.</summary>
    /// <param name="files">Destination.</param>
    /// <param name="freed">Bytes of memory that were freed.</param>
    /// <returns>Whether the bytes were moved.</returns>
    /// <exception cref="IOException">The file could not be written; the bytes remain in memory.</exception>
    internal bool TrySpill(ObjectSpillFiles files, out long freed)
    {
        freed = 0;
        if (!_sync.TryEnter())
            return false;
        try
        {
            if (_segment is null || _pins > 0)
                return false;
            _file ??= files.Write(_segment);
            freed = _segment.ResidentBytes;
            _segment.Dispose();
            _segment = null;
            return true;
        }
        finally
        {
            _sync.Exit();
        }
    }

    /// <summary>Releases the bytes permanently.</summary>
    public override void Free(string reason)
    {
        lock (_sync)
        {
            _lost ??= reason;
            Lineage = null;
            ReleaseSegment();
        }
    }

    /// <summary>Releases the bytes after another process has adopted them.</summary>
    public void Dispose()
    {
        Free("it was handed over");
        GC.SuppressFinalize(this);
    }

    /// <summary>Detaches the bytes for an equal object.</summary>
    private SharedMemorySegment? DetachSegment()
    {
        lock (_sync)
        {
            var bytes = TryAcquire();
            _segment = null;
            _lost = "it was handed over";
            if (bytes is not null && _owner is not null)
                GC.RemoveMemoryPressure(Size);
            return bytes;
        }
    }

    private T Use<T>(Func<SharedMemorySegment, T> use)
    {
        while (true)
        {
            ObjectRef making;
            lock (_sync)
            {
                if (TryAcquire() is { } bytes)
                    return use(bytes);
                making = Recompute();
            }

            // Not under the lock: the recomputation may need the CPU of a reader that waits for this lock.
            Lineage!.Wait(making);
        }
    }

    // Called under the lock. Null if the bytes were lost or are being recomputed.
    private SharedMemorySegment? TryAcquire()
    {
        if (_segment is not null)
            return _segment;
        if (_again is { IsReady: true })
            AdoptRecomputed();
        else if (_file is not null && _owner is not null)
            Restore(_owner, _file);
        return _segment;
    }

    private void Restore(IObjectByteOwner store, string path)
    {
        try
        {
            _segment = store.Restore(this, path);
        }
        catch (Exception thrown) when (thrown is IOException or UnauthorizedAccessException)
        {
            _lost = $"it had been moved to disk, and '{path}' can no longer be read: {thrown.Message}";
            _file = null;
        }
    }

    private void AdoptRecomputed()
    {
        var made = _again!;
        _again = null;
        if (made.Error is { } failure)
            throw new ObjectLostException($"{Name} was lost: {_lost} Recomputing it failed: {failure.Message}", failure);
        if (made.Stored is SharedMemoryObject same && same.Size == Size && same.DetachSegment() is { } bytes)
            _segment = bytes;
        else
            _lost += " The recomputed object differs from the original.";
    }

    // Called under the lock. Returns the reference that becomes ready when the object can be read again.
    private ObjectRef Recompute()
    {
        if (_again is not null)
            return _again;
        var why = Lineage is null ? " It was created by Put or is part of another object and cannot be recomputed." : " Its task has no retries left (MaxRetries).";
        return _again = Lineage?.Restart() ?? throw new ObjectLostException($"{Name} is gone: {_lost ?? "its memory was given up"}{(_file is null && _lost?.StartsWith("it had", StringComparison.Ordinal) == true ? why : ".")}");
    }

    private string Name => Reference is { } weak && weak.TryGetTarget(out var reference) ? $"Object {reference.Id}" : "The object";

    private void ReleaseSegment()
    {
        if (_owner is not null && (_segment is not null || _file is not null))
        {
            GC.RemoveMemoryPressure(Size);
            _owner.OnObjectReleased(_segment);
        }

        _segment?.Recycle();
        _segment = null;
        if (_file is not null)
            ObjectSpillFiles.Delete(_file);
        _file = null;
    }

    ~SharedMemoryObject() => ReleaseSegment();
}

/// <summary>Store that counts the bytes of its objects and restores spilled ones.</summary>
internal interface IObjectByteOwner
{
    /// <summary>Restores an object from disk.</summary>
    /// <exception cref="IOException">The file is missing or too short.</exception>
    SharedMemorySegment Restore(SharedMemoryObject stored, string file);

    /// <summary>Called when an object has been released, under its lock or by its finalizer.</summary>
    /// <param name="bytes">Its segment; null if it was on disk.</param>
    void OnObjectReleased(SharedMemorySegment? bytes);
}
