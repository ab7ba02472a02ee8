using System.Diagnostics;
using Serve.Runtime.Serialization;

namespace Serve.Runtime.Objects;

/// <summary>A value whose bytes lie in shared memory, or on disk while memory is short. Where they lie is written under its lock, by whoever uses it and by its store.</summary>
internal sealed class SharedObject : EncodedObject, IDisposable
{
    private readonly Lock sync = new();
    private readonly ObjectStore? owner;
    private Segment? segment;
    private string? file;
    private string? lost;
    private int pins;

    /// <param name="codec">Reads it.</param>
    /// <param name="shape">What it is.</param>
    /// <param name="segment">Its bytes.</param>
    /// <param name="owner">Who counts its bytes; null in a worker, where nobody does.</param>
    public SharedObject(ValueCodec codec, ValueShape shape, Segment segment, ObjectStore? owner)
        : base(codec, shape)
    {
        this.segment = segment;
        this.owner = owner;
        Size = segment.Length;
        if (owner is not null)
            GC.AddMemoryPressure(Size);
    }

    internal override long Size { get; }

    /// <summary>The ref it is the object of, as long as anyone has that; null for an argument.</summary>
    public WeakReference<ObjectRef>? Reference { get; private set; }

    /// <summary>Whether its bytes are gone.</summary>
    public bool IsGone
    {
        get
        {
            lock (sync)
                return segment is null && file is null;
        }
    }

    public bool IsOnDisk
    {
        get
        {
            lock (sync)
                return segment is null && file is not null;
        }
    }

    internal override bool RemembersLoaded => Shape.Format == ValueFormat.Elements;

    internal override void BelongsTo(ObjectRef reference)
    {
        base.BelongsTo(reference);
        Reference = new(reference);
    }

    internal override ByteView Open()
    {
        lock (sync)
        {
            var mapping = Acquire().Map();
            unsafe
            {
                return new(mapping.Pointer, mapping.Length, mapping);
            }
        }
    }

    /// <summary>The array that it is: one for all who use it at the same time.</summary>
    public Array LoadArray(Type type, Type element, int elementSize)
    {
        lock (sync)
        {
            var bytes = Acquire();
            return bytes.Decoded.GetOrMake(type, () => MappedArrays.Read(bytes, element, elementSize, Shape.Lengths));
        }
    }

    /// <summary>Has loading give this object as long as anyone else uses it: it is what the bytes were made from.</summary>
    public void Remember(object value)
    {
        lock (sync)
            segment?.Decoded.Set(value);
    }

    /// <summary>Its bytes as memory that is mapped for as long as anyone uses it.</summary>
    public ReadOnlyMemory<T> LoadMemory<T>()
        where T : unmanaged
    {
        lock (sync)
            return new MappedMemory<T>(Acquire().ShareMapping()).Memory;
    }

    /// <summary>How another process opens it.</summary>
    public Wire.Segment ToWire()
    {
        lock (sync)
            return Acquire().ToWire();
    }

    public override bool IsShared => true;

    public override void Pin()
    {
        lock (sync)
        {
            Acquire();
            pins++;
        }
    }

    public override void Unpin()
    {
        lock (sync)
        {
            Debug.Assert(pins > 0, "Unpinned more often than pinned.");
            pins--;
        }
    }

    /// <summary>Moves its bytes to disk, unless someone uses it this moment.</summary>
    /// <returns>Whether memory became free.</returns>
    /// <exception cref="IOException">They could not be written; they are still in memory.</exception>
    public bool TrySpill(SpillFiles files)
    {
        if (!sync.TryEnter())
            return false;
        try
        {
            if (segment is null || pins > 0)
                return false;
            file ??= files.Write(segment);
            segment.Dispose();
            segment = null;
            return true;
        }
        finally
        {
            sync.Exit();
        }
    }

    /// <summary>Gives its bytes up for good.</summary>
    internal override void Free(string reason)
    {
        lock (sync)
        {
            lost ??= reason;
            Drop();
        }
    }

    /// <summary>Gives the bytes up that another process has taken over.</summary>
    public void Dispose()
    {
        Free("it was handed over");
        GC.SuppressFinalize(this);
    }

    // Under the lock.
    private Segment Acquire()
    {
        if (segment is not null)
            return segment;
        if (lost is not null || file is null || owner is null)
            throw new ObjectLostException($"{Name} is gone: {lost ?? "its memory was given up"}.");
        try
        {
            return segment = owner.Restore(this, file);
        }
        catch (Exception thrown) when (thrown is IOException or UnauthorizedAccessException)
        {
            lost = $"it had been moved to disk, and '{file}' cannot be read any more: {thrown.Message}";
            throw new ObjectLostException($"{Name} is gone: {lost}", thrown);
        }
    }

    private string Name => Reference is { } weak && weak.TryGetTarget(out var reference) ? $"Object {reference.Id}" : "The object";

    private void Drop()
    {
        if (owner is not null && (segment is not null || file is not null))
        {
            GC.RemoveMemoryPressure(Size);
            owner.Dropped(this, segment is not null);
        }

        segment?.Dispose();
        segment = null;
        if (file is not null)
            SpillFiles.Delete(file);
        file = null;
    }

    ~SharedObject() => Drop();
}
