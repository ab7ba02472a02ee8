using System.Diagnostics;
using Serve.Runtime.Serialization;

namespace Serve.Runtime.Objects;

/// <summary>A value whose bytes lie in shared memory, or on disk while memory is short. Where they lie is written under its lock, by whoever uses it and by its store.</summary>
internal sealed class SharedObject : EncodedObject, IDisposable
{
    private readonly Lock sync = new();
    private readonly ObjectStore? owner;
    private volatile Segment? segment;
    private volatile string? file;
    private string? lost;
    private ObjectRef? again;
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

    /// <summary>The task that made it, for lists; null when it was put.</summary>
    public string? MadeBy { get; set; }

    /// <summary>How it is made again when its bytes are lost; null when it cannot be.</summary>
    public ILineage? Lineage { get; set; }

    // These two take no lock: the store asks under its own, which is taken inside of this one.

    /// <summary>Whether its bytes are gone.</summary>
    public bool IsGone => segment is null && file is null;

    public bool IsOnDisk => segment is null && file is not null;

    internal override bool RemembersLoaded => Shape.Format == ValueFormat.Elements;

    internal override void BelongsTo(ObjectRef reference)
    {
        base.BelongsTo(reference);
        Reference = new(reference);
    }

    internal override ByteView Open()
    {
        var mapping = Use(static bytes => bytes.Map());
        unsafe
        {
            return new(mapping.Pointer, mapping.Length, mapping);
        }
    }

    /// <summary>The array that it is: one for all who use it at the same time.</summary>
    public Array LoadArray(Type type, Type element, int elementSize) =>
        Use(bytes => bytes.Decoded.GetOrMake(type, () => MappedArrays.Read(bytes, element, elementSize, Shape.Lengths)));

    /// <summary>Has loading give this object as long as anyone else uses it: it is what the bytes were made from.</summary>
    public void Remember(object value)
    {
        lock (sync)
            segment?.Decoded.Set(value);
    }

    /// <summary>Its bytes as memory that is mapped for as long as anyone uses it.</summary>
    public ReadOnlyMemory<T> LoadMemory<T>()
        where T : unmanaged => new MappedMemory<T>(Use(static bytes => bytes.ShareMapping())).Memory;

    /// <summary>How another process opens it.</summary>
    /// <exception cref="ObjectPendingException">It is being made again.</exception>
    public Wire.Segment ToWire()
    {
        lock (sync)
            return (TryAcquire() ?? throw new ObjectPendingException(MakeAgain())).ToWire();
    }

    public override bool IsShared => true;

    public override void Pin()
    {
        lock (sync)
        {
            if (TryAcquire() is null)
                throw new ObjectPendingException(MakeAgain());
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
    /// <param name="files">Where to.</param>
    /// <param name="freed">Bytes of memory that became free.</param>
    /// <returns>Whether that was done.</returns>
    /// <exception cref="IOException">They could not be written; they are still in memory.</exception>
    public bool TrySpill(SpillFiles files, out long freed)
    {
        freed = 0;
        if (!sync.TryEnter())
            return false;
        try
        {
            if (segment is null || pins > 0)
                return false;
            file ??= files.Write(segment);
            freed = segment.Resident;
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
            Lineage = null;
            Drop();
        }
    }

    /// <summary>Gives the bytes up that another process has taken over.</summary>
    public void Dispose()
    {
        Free("it was handed over");
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives the bytes over to another object that is the same.</summary>
    private Segment? Surrender()
    {
        lock (sync)
        {
            var bytes = TryAcquire();
            segment = null;
            lost = "it was handed over";
            if (bytes is not null && owner is not null)
                GC.RemoveMemoryPressure(Size);
            return bytes;
        }
    }

    private T Use<T>(Func<Segment, T> use)
    {
        while (true)
        {
            ObjectRef making;
            lock (sync)
            {
                if (TryAcquire() is { } bytes)
                    return use(bytes);
                making = MakeAgain();
            }

            // Not under the lock: what makes it may need the CPU that another reader holds who waits for the lock.
            Lineage!.Wait(making);
        }
    }

    // Under the lock. Null when the bytes are lost, or being made again.
    private Segment? TryAcquire()
    {
        if (segment is not null)
            return segment;
        if (again is { IsReady: true })
            TakeOver();
        else if (file is not null && owner is not null)
            Restore(owner, file);
        return segment;
    }

    private void Restore(ObjectStore store, string path)
    {
        try
        {
            segment = store.Restore(this, path);
        }
        catch (Exception thrown) when (thrown is IOException or UnauthorizedAccessException)
        {
            lost = $"it had been moved to disk, and '{path}' cannot be read any more: {thrown.Message}";
            file = null;
        }
    }

    private void TakeOver()
    {
        var made = again!;
        again = null;
        if (made.Error is { } failure)
            throw new ObjectLostException($"{Name} is gone: {lost} Making it again failed: {failure.Message}", failure);
        if (made.Stored is SharedObject same && same.Size == Size && same.Surrender() is { } bytes)
            segment = bytes;
        else
            lost += " What was made again is not the same.";
    }

    // Under the lock: a ref that is ready when it is worth trying once more.
    private ObjectRef MakeAgain()
    {
        if (again is not null)
            return again;
        var why = Lineage is null ? " It was put, or is part of another, so that it cannot be computed again." : " Its task may not run again: its MaxRetries are used up.";
        return again = Lineage?.Restart() ?? throw new ObjectLostException($"{Name} is gone: {lost ?? "its memory was given up"}{(file is null && lost?.StartsWith("it had", StringComparison.Ordinal) == true ? why : ".")}");
    }

    private string Name => Reference is { } weak && weak.TryGetTarget(out var reference) ? $"Object {reference.Id}" : "The object";

    private void Drop()
    {
        if (owner is not null && (segment is not null || file is not null))
        {
            GC.RemoveMemoryPressure(Size);
            owner.Dropped(segment);
        }

        segment?.Recycle();
        segment = null;
        if (file is not null)
            SpillFiles.Delete(file);
        file = null;
    }

    ~SharedObject() => Drop();
}
