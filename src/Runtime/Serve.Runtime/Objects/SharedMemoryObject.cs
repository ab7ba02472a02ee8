using System.Diagnostics;
using Serve.Runtime.Serialization;

namespace Serve.Runtime.Objects;

/// <summary>A value whose bytes lie in shared memory, or on disk while memory is short. Where they lie is written under its lock, by whoever uses it and by its store.</summary>
internal sealed class SharedMemoryObject : EncodedObject, IDisposable
{
    private readonly Lock _sync = new();
    private readonly SharedObjectStore? _owner;
    private volatile SharedMemorySegment? _segment;
    private volatile string? _file;
    private string? _lost;
    private ObjectRef? _again;
    private int _pins;

    /// <param name="codec">Reads it.</param>
    /// <param name="shape">What it is.</param>
    /// <param name="segment">Its bytes.</param>
    /// <param name="owner">Who counts its bytes; null in a worker, where nobody does.</param>
    public SharedMemoryObject(ObjectValueCodec codec, EncodedValueShape shape, SharedMemorySegment segment, SharedObjectStore? owner)
        : base(codec, shape)
    {
        this._segment = segment;
        this._owner = owner;
        Size = segment.Length;
        if (owner is not null)
            GC.AddMemoryPressure(Size);
    }

    internal override long Size { get; }

    /// <summary>The ref it is the object of, as long as anyone has that; null for an argument.</summary>
    public WeakReference<ObjectRef>? Reference { get; private set; }

    /// <summary>The task that made it, for lists; null when it was put.</summary>
    public string? CreatedBy { get; set; }

    /// <summary>How it is made again when its bytes are lost; null when it cannot be.</summary>
    public IObjectLineage? Lineage { get; set; }

    // These two take no lock: the store asks under its own, which is taken inside of this one.

    /// <summary>Whether its bytes are gone.</summary>
    public bool IsReleased => _segment is null && _file is null;

    public bool IsSpilled => _segment is null && _file is not null;

    internal override bool CachesLoadedValue => Shape.Format == EncodedValueFormat.Elements;

    internal override void AttachTo(ObjectRef reference)
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

    /// <summary>The array that it is: one for all who use it at the same time.</summary>
    public Array LoadArray(Type type, Type element, int elementSize) =>
        Use(bytes => bytes.Decoded.GetOrCreate(type, () => MappedArrayFactory.Read(bytes, element, elementSize, Shape.Lengths)));

    /// <summary>Has loading give this object as long as anyone else uses it: it is what the bytes were made from.</summary>
    public void CacheDecoded(object value)
    {
        lock (_sync)
            _segment?.Decoded.Set(value);
    }

    /// <summary>Its bytes as memory that is mapped for as long as anyone uses it.</summary>
    public ReadOnlyMemory<T> LoadMemory<T>()
        where T : unmanaged => new MappedMemoryManager<T>(Use(static bytes => bytes.ShareMapping())).Memory;

    /// <summary>How another process opens it.</summary>
    /// <exception cref="ObjectRecomputingException">It is being made again.</exception>
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
            Debug.Assert(_pins > 0, "Unpinned more often than pinned.");
            _pins--;
        }
    }

    /// <summary>Moves its bytes to disk, unless someone uses it this moment.</summary>
    /// <param name="files">Where to.</param>
    /// <param name="freed">Bytes of memory that became free.</param>
    /// <returns>Whether that was done.</returns>
    /// <exception cref="IOException">They could not be written; they are still in memory.</exception>
    public bool TrySpill(ObjectSpillFiles files, out long freed)
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

    /// <summary>Gives its bytes up for good.</summary>
    internal override void Free(string reason)
    {
        lock (_sync)
        {
            _lost ??= reason;
            Lineage = null;
            ReleaseSegment();
        }
    }

    /// <summary>Gives the bytes up that another process has taken over.</summary>
    public void Dispose()
    {
        Free("it was handed over");
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives the bytes over to another object that is the same.</summary>
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

            // Not under the lock: what makes it may need the CPU that another reader holds who waits for the lock.
            Lineage!.Wait(making);
        }
    }

    // Under the lock. Null when the bytes are lost, or being made again.
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

    private void Restore(SharedObjectStore store, string path)
    {
        try
        {
            _segment = store.Restore(this, path);
        }
        catch (Exception thrown) when (thrown is IOException or UnauthorizedAccessException)
        {
            _lost = $"it had been moved to disk, and '{path}' cannot be read any more: {thrown.Message}";
            _file = null;
        }
    }

    private void AdoptRecomputed()
    {
        var made = _again!;
        _again = null;
        if (made.Error is { } failure)
            throw new ObjectLostException($"{Name} is gone: {_lost} Making it again failed: {failure.Message}", failure);
        if (made.Stored is SharedMemoryObject same && same.Size == Size && same.DetachSegment() is { } bytes)
            _segment = bytes;
        else
            _lost += " What was made again is not the same.";
    }

    // Under the lock: a ref that is ready when it is worth trying once more.
    private ObjectRef Recompute()
    {
        if (_again is not null)
            return _again;
        var why = Lineage is null ? " It was put, or is part of another, so that it cannot be computed again." : " Its task may not run again: its MaxRetries are used up.";
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
