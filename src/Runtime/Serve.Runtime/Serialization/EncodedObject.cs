using Serve.Runtime.Actors;


namespace Serve.Runtime.Serialization;

/// <summary>Encoded value and what is needed to decode it. Immutable, except for the location of shared bytes.</summary>
internal abstract class EncodedObject(ObjectValueCodec codec, EncodedValueShape shape) : StoredObject
{
    public ObjectValueCodec Codec => codec;

    public EncodedValueShape Shape => shape;

    /// <summary>Object references and actor handles contained in the value, or objects that keep them alive.</summary>
    public IReadOnlyList<object> References { get; init; } = [];

    /// <summary>Source of the contained references; null if this process created the value.</summary>
    public IPeerReferenceResolver? Peer { get; init; }

    /// <summary>Whether the value belongs to an object reference; false for an argument passed by value.</summary>
    public bool IsOwned { get; private set; }

    internal override void AttachTo(ObjectRef reference) => IsOwned = true;

    internal override object? Load(Type type) => codec.Decode(this, type);

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
