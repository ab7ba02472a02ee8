using Serve.Runtime.Serialization;

namespace Serve.Runtime.Objects;

/// <summary>Where the large values of a process go, and come from: its shared memory.</summary>
internal interface ISharedMemoryStore
{
    /// <summary>Values of at least so many bytes go there.</summary>
    const long MinimumBytes = 100 * 1024;

    /// <summary>Copies bytes into shared memory.</summary>
    /// <exception cref="InsufficientResourcesException">There is no room, and none can be made.</exception>
    unsafe EncodedObject Store(ObjectValueCodec codec, EncodedValueShape shape, byte* start, long length, IReadOnlyList<object> references);

    /// <summary>Takes over what came from another process.</summary>
    EncodedObject Adopt(ObjectValueCodec codec, EncodedValueShape shape, SharedMemorySegment segment, IReadOnlyList<object> references, IPeerReferenceResolver peer);
}
