using Serve.Runtime.Serialization;

namespace Serve.Runtime.Objects;

/// <summary>Shared memory of a process, in which large values are stored.</summary>
internal interface ISharedMemoryStore
{
    /// <summary>Minimum size in bytes of values stored in shared memory.</summary>
    const long MinimumBytes = 100 * 1024;

    /// <summary>Copies bytes into shared memory.</summary>
    /// <exception cref="InsufficientResourcesException">No memory is available, and none can be freed.</exception>
    unsafe EncodedObject Store(ObjectValueCodec codec, EncodedValueShape shape, byte* start, long length, IReadOnlyList<object> references);

    /// <summary>Adopts a segment created by another process.</summary>
    EncodedObject Adopt(ObjectValueCodec codec, EncodedValueShape shape, SharedMemorySegment segment, IReadOnlyList<object> references, IPeerReferenceResolver peer);
}
