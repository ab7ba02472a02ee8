using Serve.Runtime.Clusters;
using Serve.Runtime.Placement;
using Serve.Runtime.Serialization;

namespace Serve.Runtime.Objects;

/// <summary>
/// The objects of a cluster that are in shared memory or on disk: owned by its head. It counts their bytes and moves the oldest to
/// disk when there would be too many. Its state is written under its lock.
/// </summary>
internal sealed class ObjectStore : ISegmentSource, IDisposable
{
    private readonly Lock sync = new();
    private readonly Lock spilling = new();
    private readonly LinkedList<WeakReference<SharedObject>> objects = [];
    private readonly SpillFiles files;
    private readonly SlabPool slabs;
    private readonly long limit;
    private long used;
    private long sinceCollection;
    private int collectFrom = 64;
    private bool disposed;

    private readonly HeadCluster cluster;

    public ObjectStore(HeadCluster cluster)
    {
        this.cluster = cluster;
        limit = cluster.Options.ObjectStoreMemory ?? (long)(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes * 0.3);
        files = new(cluster.Options.SpillDirectory);
        slabs = new(limit, cluster.Time);
        Codec = new(cluster.Options.Serializers, new JsonGroupConverter(group => cluster.Placement.Find(group.Id))) { Segments = this };
    }

    /// <summary>Writes and reads values for other processes.</summary>
    public ValueCodec Codec { get; }

    /// <summary>Bytes of shared memory that objects take now.</summary>
    public long Used
    {
        get
        {
            lock (sync)
                return used;
        }
    }

    /// <summary>Bytes of shared memory that wait for the next objects, beyond <see cref="Used"/>; the two together keep to the limit.</summary>
    public long Idle => slabs.IdleBytes;

    /// <summary>The objects, oldest first.</summary>
    public IReadOnlyList<SharedObject> All
    {
        get
        {
            lock (sync)
                return Living();
        }
    }

    /// <summary>Copies what was put into shared memory, if the cluster has workers that may want it.</summary>
    /// <returns>False when it stays as it is until a worker wants it.</returns>
    public bool TryPut<T>(ObjectRef<T> reference, T value)
    {
        if (cluster.Options.Isolation != Isolation.Process && cluster.StartedWorkers is null && cluster.Options.PrestartWorkers == 0)
            return false;
        var stored = Codec.Encode(typeof(T), value, "what was put");
        if (stored is SharedObject shared && value is Array array)
            shared.Remember(array);
        return reference.TrySetStored(stored);
    }

    /// <summary>Frees objects whoever still holds refs to them.</summary>
    public static void Free(HeadCluster cluster, IEnumerable<ObjectRef> references)
    {
        foreach (var reference in references)
        {
            reference.RequireOf(cluster);
            reference.Free();
        }
    }

    public unsafe EncodedObject Store(ValueCodec codec, ValueShape shape, byte* start, long length, IReadOnlyList<object> references)
    {
        var slab = length >= Slab.Least ? slabs.TryTake(MappedArrays.DataOffset(shape.Rank), length) : null;
        var size = slab is null ? length : Math.Max(length, slab.Resident);
        Segment segment;
        try
        {
            Reserve(size);
        }
        catch
        {
            if (slab is not null)
                slabs.Return(slab);
            throw;
        }

        try
        {
            segment = Create(slab, start, length, shape.Rank);
        }
        catch (IOException thrown)
        {
            Release(size);
            throw new InsufficientResourcesException($"No shared memory could be had for an object of {length:N0} bytes: {thrown.Message}", isPermanent: false);
        }

        if (segment.Resident < size)
            Release(size - segment.Resident);
        return Add(new(codec, shape, segment, this) { References = references });
    }

    public EncodedObject Adopt(ValueCodec codec, ValueShape shape, Segment segment, IReadOnlyList<object> references, IRefResolver peer)
    {
        // It is there already: refusing it for its size would lose it.
        Reserve(segment.Length, always: true);
        return Add(new(codec, shape, segment, this) { References = references, Peer = peer });
    }

    /// <summary>Brings an object back from disk.</summary>
    /// <exception cref="IOException">Its file is gone or too short.</exception>
    public Segment Restore(SharedObject stored, string file)
    {
        using var handle = File.OpenHandle(file);
        Reserve(stored.Size, always: true);
        try
        {
            var segment = Segment.Create(handle, stored.Size, stored.Shape.Rank);
            MakeNewest(stored);
            return segment;
        }
        catch
        {
            Release(stored.Size);
            throw;
        }
    }

    /// <summary>An object is no more whose bytes were here; null when they were on disk. Called under its lock, or by its finalizer.</summary>
    public void Dropped(Segment? bytes)
    {
        if (bytes is not null)
            Release(bytes.Resident);
    }

    /// <summary>Gives the memory back to the system that no object is in.</summary>
    /// <returns>The bytes.</returns>
    public long GiveUpIdle() => slabs.Clear();

    /// <summary>Frees every object, whoever still holds a ref to it, and removes the files and the memory.</summary>
    public void Dispose()
    {
        lock (sync)
            disposed = true;
        foreach (var known in All)
            known.Free("its cluster was disposed");
        slabs.Dispose();
        files.Dispose();
    }

    // Into memory whose pages are there, into new memory that is kept for the next, or into some of its own.
    private unsafe Segment Create(Slab? slab, byte* start, long length, int rank)
    {
        try
        {
            if (slab is null && length >= Slab.Least && Segment.InMemory)
                slab = slabs.TryMake(MappedArrays.DataOffset(rank), length);
            if (slab is not null && Segment.TryCreate(slab, start, length, rank) is { } made)
                return made;
        }
        catch (IOException) when (slabs.Clear() > 0)
        {
            // There is more memory now than there was.
        }

        return Segment.Create(start, length, rank);
    }

    private SharedObject Add(SharedObject added)
    {
        var late = false;
        lock (sync)
        {
            objects.AddLast(new WeakReference<SharedObject>(added));
            late = disposed;
            if (objects.Count > collectFrom)
                collectFrom = (2 * Living().Count) + 64;
        }

        if (late)
            added.Free("its cluster was disposed");
        return added;
    }

    // Under the lock. Forgets those that are no more.
    private List<SharedObject> Living()
    {
        var living = new List<SharedObject>();
        for (var node = objects.First; node is not null;)
        {
            var next = node.Next;
            if (node.Value.TryGetTarget(out var known) && !known.IsGone)
                living.Add(known);
            else
                objects.Remove(node);
            node = next;
        }

        return living;
    }

    // What was just used is not what is moved to disk next.
    private void MakeNewest(SharedObject stored)
    {
        lock (sync)
        {
            for (var node = objects.First; node is not null; node = node.Next)
            {
                if (!node.Value.TryGetTarget(out var known) || known != stored)
                    continue;
                objects.Remove(node);
                objects.AddLast(node);
                return;
            }
        }
    }

    private void Release(long length)
    {
        lock (sync)
        {
            used -= length;
            slabs.SetUsed(used);
        }
    }

    private void Reserve(long length, bool always = false)
    {
        if (length > limit && !always)
            throw new InsufficientResourcesException($"An object of {length:N0} bytes is larger than the object store, which has {limit:N0}. Raise ClusterOptions.ObjectStoreMemory, or split the object.", isPermanent: true);
        if (TryReserve(length))
            return;

        // One at a time: who waits here finds room that the one before it made.
        lock (spilling)
        {
            if (TryReserve(length))
                return;
            CollectDropped();
            while (!TryReserve(length))
            {
                if (!SpillOldest())
                {
                    // All of it is on its way to a worker at this moment: that ends by itself, and waiting for it here could wait for this very thread.
                    TryReserve(length, always: true);
                    return;
                }
            }
        }
    }

    private bool TryReserve(long length, bool always = false)
    {
        lock (sync)
        {
            if (used + length > limit && !always)
                return false;
            sinceCollection += length;
            used += length;
            slabs.SetUsed(used);
        }

        // What waits goes before anything that is in use does.
        slabs.Trim();
        return true;
    }

    // Refs that nobody has any more still take room until the collector has seen it.
    private void CollectDropped()
    {
        lock (sync)
        {
            if (sinceCollection < limit / 16)
                return;
            sinceCollection = 0;
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    private bool SpillOldest()
    {
        foreach (var known in All)
        {
            try
            {
                if (!known.TrySpill(files, out var freed))
                    continue;
                Release(freed);
                return true;
            }
            catch (Exception thrown) when (thrown is IOException or UnauthorizedAccessException)
            {
                throw new InsufficientResourcesException(
                    $"The object store is full ({Used:N0} of {limit:N0} bytes) and an object of {known.Size:N0} bytes could not be moved to '{files.Parent}': {thrown.Message} Make room there, or set ClusterOptions.SpillDirectory or ObjectStoreMemory.",
                    isPermanent: false);
            }
        }

        return false;
    }
}
