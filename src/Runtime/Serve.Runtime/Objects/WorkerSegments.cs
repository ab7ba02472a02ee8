using Serve.Runtime.Serialization;

namespace Serve.Runtime.Objects;

/// <summary>A worker's shared memory: what it makes belongs to its head as soon as that has opened it, so nothing is counted here.</summary>
internal sealed class WorkerSegments : ISegmentSource
{
    public unsafe EncodedObject Store(ValueCodec codec, ValueShape shape, byte* start, long length, IReadOnlyList<object> references) =>
        new SharedObject(codec, shape, Segment.Create(start, length, shape.Rank), owner: null) { References = references };

    public EncodedObject Adopt(ValueCodec codec, ValueShape shape, Segment segment, IReadOnlyList<object> references, IRefResolver peer) =>
        new SharedObject(codec, shape, segment, owner: null) { References = references, Peer = peer };
}
