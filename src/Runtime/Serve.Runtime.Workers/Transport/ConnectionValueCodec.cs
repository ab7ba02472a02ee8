using Serve.Runtime.Serialization;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Transport;

/// <summary>Converts values to and from the frames of one connection. Holds no state.</summary>
internal sealed class ConnectionValueCodec(ObjectValueCodec codec, IPeerReferenceResolver peer)
{
    public ObjectValueCodec Codec => codec;

    /// <exception cref="NotSerializableException">The value cannot be sent to another process.</exception>
    public Value Write(EncodedObject value, Type declared) => WireValueConverter.ToWire(value, declared, peer);

    /// <summary>Writes an error; exceptions of user code are sent themselves if possible.</summary>
    public Error Write(Exception failure) => WireExceptionConverter.ToWire(failure, codec);

    public Exception Read(Error error) => WireExceptionConverter.FromWire(error, codec);

    /// <summary>Imports a received value, which is decoded on demand; the references inside it are held from now on.</summary>
    public EncodedObject Keep(Value value, Type declared) => WireValueConverter.FromWire(value, declared, codec, peer);

    public object? Read(Value value, Type declared) => codec.Decode(Keep(value, declared), declared);

    /// <summary>Exports a reference to the peer and returns its id.</summary>
    public long Export(ObjectRef reference) => peer.Export(reference);

    /// <summary>Whether a value is stored in shared memory, which must exist until the peer has opened it.</summary>
    public static bool IsShared(Value value) => value.ContentCase switch
    {
        Value.ContentOneofCase.Segment => true,
        Value.ContentOneofCase.Items => value.Items.Values.Any(IsShared),
        _ => false,
    };
}
