using Serve.Runtime.Serialization;

namespace Serve.Runtime.Objects;

/// <summary>Where the large values of a process go, and come from: its shared memory.</summary>
internal interface ISegmentSource
{
    /// <summary>Values of at least so many bytes go there.</summary>
    const long Least = 100 * 1024;

    /// <summary>Copies bytes into shared memory.</summary>
    /// <exception cref="InsufficientResourcesException">There is no room, and none can be made.</exception>
    unsafe EncodedObject Store(ValueCodec codec, ValueShape shape, byte* start, long length, IReadOnlyList<object> references);

    /// <summary>Takes over what came from another process.</summary>
    EncodedObject Adopt(ValueCodec codec, ValueShape shape, Segment segment, IReadOnlyList<object> references, IRefResolver peer);
}
