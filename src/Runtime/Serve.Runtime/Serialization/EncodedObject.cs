using Serve.Runtime.Actors;

namespace Serve.Runtime.Serialization;

/// <summary>Encoded value with the information to decode it. Immutable, except for the location of shared bytes.</summary>
public abstract class EncodedObject(IValueCodec codec, EncodedValueShape shape) : StoredObject
{
    internal IValueCodec Codec => codec;

    public EncodedValueShape Shape => shape;

    /// <summary>Object references and actor handles contained in the value, or objects that keep them alive.</summary>
    public IReadOnlyList<object> References { get; init; } = [];

    /// <summary>Source of the contained references; null if this process created the value.</summary>
    public IPeerReferenceResolver? Peer { get; init; }

    /// <summary>Whether the value belongs to an object reference; false for an argument passed by value.</summary>
    public bool IsOwned { get; private set; }

    public override void AttachTo(ObjectRef reference) => IsOwned = true;

    public override object? Load(Type type) => codec.Decode(this, type);

    /// <summary>Opens the bytes for reading until disposed.</summary>
    internal abstract PinnedByteView Open();

    /// <summary>Whether another process opens the bytes itself instead of receiving them in a message.</summary>
    public virtual bool IsShared => false;

    /// <summary>Keeps the bytes available for another process, from before they are sent until it has opened them.</summary>
    public virtual void Pin()
    {
    }

    /// <summary>Reverts one call of <see cref="Pin"/>.</summary>
    public virtual void Unpin()
    {
    }

    internal ObjectRef Resolve(long id, Type valueType)
    {
        foreach (var held in References)
        {
            if (held is ObjectRef reference && reference.Id.Number == id)
                return reference;
        }

        return Peer?.Import(id, valueType) ?? throw new ObjectLostException($"Object {new ObjectId(id)} is not known to this process.");
    }

    internal object ResolveActor(ActorHandleDescriptor address, Type actorType)
    {
        foreach (var held in References)
        {
            if (held is IActorHandleLink link && link.Descriptor.Number == address.Number)
                return link;
        }

        return Peer?.ImportActor(address, actorType) ?? throw new ActorNotFoundException($"Actor {new ObjectId(address.Number)} is not known to this process.");
    }
}

/// <summary>Value whose bytes are sent in the message.</summary>
public sealed class InlineEncodedObject(IValueCodec codec, EncodedValueShape shape, ReadOnlyMemory<byte> bytes) : EncodedObject(codec, shape)
{
    public ReadOnlyMemory<byte> Bytes => bytes;

    public override long Size => bytes.Length;

    internal override PinnedByteView Open() => new(bytes);
}

/// <summary>Codec as seen by encoders and encoded values.</summary>
public interface IValueCodec
{
    /// <summary>Whether large values are stored in shared memory.</summary>
    bool HasSharedMemory { get; }

    /// <summary>Decodes a value.</summary>
    /// <exception cref="ObjectLostException">The bytes were lost.</exception>
    /// <exception cref="NotSerializableException">The bytes are not of this type.</exception>
    object? Decode(EncodedObject stored, Type declared);

    /// <summary>Encodes a part of a value.</summary>
    EncodedObject EncodePart(Type declared, object? value);

    /// <summary>Stores a copy of bytes, in shared memory if they are large.</summary>
    EncodedObject StoreCopy(EncodedValueShape shape, ReadOnlySpan<byte> bytes, IReadOnlyList<object>? references = null);

    /// <summary>Stores a copy of bytes, in shared memory if they are large.</summary>
    unsafe EncodedObject Store(EncodedValueShape shape, byte* start, long length);
}
