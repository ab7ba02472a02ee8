using Serve.Runtime.Serialization;

namespace Serve.Runtime.Objects;

/// <summary>Shared memory of a worker. Nothing is counted: the driver owns an object as soon as it has opened it.</summary>
public sealed class WorkerSharedMemory : ISharedMemoryStore
{
    public unsafe EncodedObject Store(IValueCodec codec, EncodedValueShape shape, byte* start, long length, IReadOnlyList<object> references) =>
        new SharedMemoryObject(codec, shape, SharedMemorySegment.Create(start, length, shape.Rank), owner: null) { References = references };

    public EncodedObject Adopt(IValueCodec codec, EncodedValueShape shape, SharedMemorySegment segment, IReadOnlyList<object> references, IPeerReferenceResolver peer) =>
        new SharedMemoryObject(codec, shape, segment, owner: null) { References = references, Peer = peer };
}
