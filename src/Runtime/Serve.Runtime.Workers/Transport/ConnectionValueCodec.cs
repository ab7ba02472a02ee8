using Serve.Runtime.Serialization;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Transport;

/// <summary>Values to and from the frames of one session. Holds no state of its own.</summary>
internal sealed class ConnectionValueCodec(ObjectValueCodec codec, IPeerReferenceResolver peer)
{
    public ObjectValueCodec Codec => codec;

    /// <exception cref="NotSerializableException">It cannot travel.</exception>
    public Value Write(EncodedObject value, Type declared) => WireValueConverter.ToWire(value, declared, peer);

    /// <summary>A value that came, to be decoded when someone asks; the refs inside it are held from now on.</summary>
    public EncodedObject Keep(Value value, Type declared) => WireValueConverter.FromWire(value, declared, codec, peer);

    public object? Read(Value value, Type declared) => codec.Decode(Keep(value, declared), declared);

    /// <summary>The id of a ref that goes to the other side.</summary>
    public long Export(ObjectRef reference) => peer.Export(reference);

    /// <summary>Whether a value's bytes lie in memory that the other side has to open before it may go.</summary>
    public static bool IsShared(Value value) => value.ContentCase switch
    {
        Value.ContentOneofCase.Segment => true,
        Value.ContentOneofCase.Items => value.Items.Values.Any(IsShared),
        _ => false,
    };
}
