using System.Diagnostics;
using Serve.Runtime.Serialization;
using Serve.Runtime.Serialization.Graphs;

namespace Serve.Runtime.Objects;

/// <summary>
/// Store of the cluster's objects in shared memory and on disk, owned by its driver. It counts their bytes and spills the oldest to disk above its limit. Its
/// state is written under its lock.
/// </summary>
internal sealed class SharedObjectStore : ISharedMemoryStore, IObjectByteOwner, IDisposable
{
    private const long LeastPressure = 64 << 20;
    private static readonly TimeSpan ReleaseWait = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestReleaseWait = TimeSpan.FromMilliseconds(200);
    private readonly Lock _sync = new();
    private readonly Lock _spilling = new();
    private readonly object _releases = new();
    private readonly LinkedList<WeakReference<SharedMemoryObject>> _objects = [];
    private readonly ObjectSpillFiles _files;
    private readonly SharedMemorySlabPool _slabs;
    private readonly long _limit;
    private long _used;
    private long _sinceShortage;
    private int _collectFrom = 64;
    private readonly Func<bool> _usesWorkers;
    private bool _disposed;

    /// <summary>Creates a store.</summary>
    /// <param name="options">Cluster options.</param>
    /// <param name="time">Clock for the release of idle memory.</param>
    /// <param name="usesWorkers">Whether workers of the cluster may need objects.</param>
    /// <param name="runtimeForms">Forms of types of the runtime.</param>
    public SharedObjectStore(ClusterOptions options, TimeProvider time, Func<bool> usesWorkers, params IReadOnlyList<RuntimeTypeForm> runtimeForms)
    {
        _usesWorkers = usesWorkers;
        _limit = options.ObjectStoreMemory ?? (long)(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes * 0.3);
        _files = new(options.SpillDirectory);
        _slabs = new(_limit, time);
        Codec = new(options.Serializers, runtimeForms) { Segments = this };
    }

    /// <summary>Encodes and decodes values for other processes.</summary>
    public ObjectValueCodec Codec { get; }

    /// <summary>Bytes of shared memory in use by objects.</summary>
    public long UsedBytes
    {
        get
        {
            lock (_sync)
                return _used;
        }
    }

    /// <summary>Bytes of idle shared memory, kept for reuse in addition to <see cref="UsedBytes"/>. The limit applies to the sum of both.</summary>
    public long IdleBytes => _slabs.IdleBytes;

    /// <summary>Objects, oldest first.</summary>
    public IReadOnlyList<SharedMemoryObject> Objects
    {
        get
        {
            lock (_sync)
                return PruneObjects();
        }
    }

    /// <summary>Copies a value that was put to shared memory, if the cluster uses workers.</summary>
    /// <returns>False if the value stays in this process until a worker needs it.</returns>
    public bool TryPut<T>(ObjectRef<T> reference, T value)
    {
        if (!_usesWorkers())
            return false;
        var stored = Codec.Encode(typeof(T), value, "the value");
        if (stored is SharedMemoryObject shared && value is Array array)
            shared.CacheDecoded(array);
        return reference.TrySetStored(stored);
    }

    public unsafe EncodedObject Store(IValueCodec codec, EncodedValueShape shape, byte* start, long length, IReadOnlyList<object> references)
    {
        var slab = length >= SharedMemorySlab.MinimumBytes ? _slabs.TryRent(MappedArrayFactory.DataOffset(shape.Rank), length) : null;
        var size = slab is null ? length : Math.Max(length, slab.ResidentBytes);
        SharedMemorySegment segment;
        try
        {
            Reserve(size);
        }
        catch
        {
            if (slab is not null)
                _slabs.Return(slab);
            throw;
        }

        try
        {
            segment = Create(slab, start, length, shape.Rank);
        }
        catch (IOException thrown)
        {
            Release(size);
            throw new InsufficientResourcesException($"No shared memory is available for an object of {length:N0} bytes: {thrown.Message}", isPermanent: false);
        }

        if (segment.ResidentBytes < size)
            Release(size - segment.ResidentBytes);
        return Add(new(codec, shape, segment, this) { References = references });
    }

    public EncodedObject Adopt(IValueCodec codec, EncodedValueShape shape, SharedMemorySegment segment, IReadOnlyList<object> references, IPeerReferenceResolver peer)
    {
        // The segment already exists: rejecting it for its size would lose the object.
        Reserve(segment.Length, always: true);
        return Add(new(codec, shape, segment, this) { References = references, Peer = peer });
    }

    public SharedMemorySegment Restore(SharedMemoryObject stored, string file)
    {
        using var handle = File.OpenHandle(file);
        Reserve(stored.Size, always: true);
        try
        {
            var segment = SharedMemorySegment.Create(handle, stored.Size, stored.Shape.Rank);
            MoveToNewest(stored);
            return segment;
        }
        catch
        {
            Release(stored.Size);
            throw;
        }
    }

    public void OnObjectReleased(SharedMemorySegment? bytes)
    {
        if (bytes is not null)
            Release(bytes.ResidentBytes);
    }

    /// <summary>Returns idle memory to the system.</summary>
    /// <returns>Number of bytes released.</returns>
    public long ReleaseIdleMemory() => _slabs.Clear();

    /// <summary>Frees every object, even if it is still referenced, and deletes its files and memory.</summary>
    public void Dispose()
    {
        lock (_sync)
            _disposed = true;
        foreach (var known in Objects)
            known.Free("its cluster was disposed");
        _slabs.Dispose();
        _files.Dispose();
    }

    // Uses an idle slab, a new slab, or memory of its own.
    private unsafe SharedMemorySegment Create(SharedMemorySlab? slab, byte* start, long length, int rank)
    {
        try
        {
            if (slab is null && length >= SharedMemorySlab.MinimumBytes && SharedMemorySegment.InMemory)
                slab = _slabs.TryCreate(MappedArrayFactory.DataOffset(rank), length);
            if (slab is not null && SharedMemorySegment.TryCreate(slab, start, length, rank) is { } made)
                return made;
        }
        catch (IOException) when (_slabs.Clear() > 0)
        {
            // More memory is available now.
        }

        return SharedMemorySegment.Create(start, length, rank);
    }

    private SharedMemoryObject Add(SharedMemoryObject added)
    {
        var late = false;
        lock (_sync)
        {
            _objects.AddLast(new WeakReference<SharedMemoryObject>(added));
            late = _disposed;
            if (_objects.Count > _collectFrom)
                _collectFrom = (2 * PruneObjects().Count) + 64;
        }

        if (late)
            added.Free("its cluster was disposed");
        return added;
    }

    // Called under the lock. Removes released objects from the list.
    private List<SharedMemoryObject> PruneObjects()
    {
        var living = new List<SharedMemoryObject>();
        for (var node = _objects.First; node is not null;)
        {
            var next = node.Next;
            if (node.Value.TryGetTarget(out var known) && !known.IsReleased)
                living.Add(known);
            else
                _objects.Remove(node);
            node = next;
        }

        return living;
    }

    // A recently used object is not the next one to be spilled.
    private void MoveToNewest(SharedMemoryObject stored)
    {
        lock (_sync)
        {
            for (var node = _objects.First; node is not null; node = node.Next)
            {
                if (!node.Value.TryGetTarget(out var known) || known != stored)
                    continue;
                _objects.Remove(node);
                _objects.AddLast(node);
                return;
            }
        }
    }

    private void Release(long length)
    {
        lock (_sync)
        {
            _used -= length;
            _slabs.SetUsed(_used);
        }

        lock (_releases)
            Monitor.PulseAll(_releases);
    }

    private void Reserve(long length, bool always = false)
    {
        if (length > _limit && !always)
            throw new InsufficientResourcesException($"An object of {length:N0} bytes exceeds the object store's limit of {_limit:N0} bytes. Raise ClusterOptions.ObjectStoreMemory or split the object.", isPermanent: true);
        if (TryReserve(length))
            return;

        // One thread at a time: the next one may find the memory that this one freed.
        lock (_spilling)
        {
            if (TryReserve(length))
                return;
            AwaitDropped(length);
            while (!TryReserve(length))
            {
                if (!SpillOldest())
                {
                    // All objects are being sent to workers at the moment. That ends by itself, but waiting here could block the thread that ends it.
                    TryReserve(length, always: true);
                    return;
                }
            }
        }
    }

    private bool TryReserve(long length, bool always = false)
    {
        lock (_sync)
        {
            if (_used + length > _limit && !always)
                return false;
            _sinceShortage += length;
            _used += length;
            _slabs.SetUsed(_used);
        }

        // Idle memory is released before anything that is in use.
        _slabs.Trim();
        return true;
    }

    // Objects whose references were dropped count until they have been collected. The store reports the shortage to the collector and waits briefly, so that garbage is not
    // spilled; unlike a forced collection this neither blocks other threads nor exceeds the share of time that the collector grants to memory pressure.
    // Not repeated before a share of the limit has been stored.
    private void AwaitDropped(long length)
    {
        lock (_sync)
        {
            if (_sinceShortage < _limit / 16)
                return;
            _sinceShortage = 0;
        }

        var started = Stopwatch.GetTimestamp();
        lock (_releases)
        {
            while (UsedBytes + length > _limit && Stopwatch.GetElapsedTime(started) < LongestReleaseWait)
            {
                // The collector compares pressure with the size of its heap.
                var pressure = Math.Max(Math.Max(_limit, LeastPressure), GC.GetTotalMemory(forceFullCollection: false));
                GC.AddMemoryPressure(pressure);
                GC.RemoveMemoryPressure(pressure);
                Monitor.Wait(_releases, ReleaseWait);
            }
        }
    }

    private bool SpillOldest()
    {
        foreach (var known in Objects)
        {
            try
            {
                if (!known.TrySpill(_files, out var freed))
                    continue;
                Release(freed);
                return true;
            }
            catch (Exception thrown) when (thrown is IOException or UnauthorizedAccessException)
            {
                throw new InsufficientResourcesException(
                    $"The object store is full ({UsedBytes:N0} of {_limit:N0} bytes) and an object of {known.Size:N0} bytes could not be spilled to '{_files.Parent}': {thrown.Message} Free disk space there, or set ClusterOptions.SpillDirectory or ObjectStoreMemory.",
                    isPermanent: false);
            }
        }

        return false;
    }
}
