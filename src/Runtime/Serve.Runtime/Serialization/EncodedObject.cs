using Serve.Runtime.CoreActors;

namespace Serve.Runtime.Serialization;

/// <summary>A value as bytes, and what is needed to read them. Immutable, save for where a shared one's bytes lie.</summary>
internal abstract class EncodedObject(ObjectValueCodec codec, EncodedValueShape shape) : StoredObject
{
    public ObjectValueCodec Codec => codec;

    public EncodedValueShape Shape => shape;

    /// <summary>The refs and the actors' handles inside it, or what keeps them: they live as long as this does.</summary>
    public IReadOnlyList<object> References { get; init; } = [];

    /// <summary>Where the refs come from that are inside; null when this process made the value.</summary>
    public IPeerReferenceResolver? Peer { get; init; }

    /// <summary>Whether a ref has it as its object; an argument that was passed by value is nobody's.</summary>
    public bool IsOwned { get; private set; }

    public override void AttachTo(ObjectRef reference) => IsOwned = true;

    public override object? Load(Type type) => codec.Decode(this, type);

    /// <summary>Its bytes, to be read until disposed.</summary>
    internal abstract PinnedByteView Open();

    /// <summary>Whether another process opens its bytes rather than getting them in a message.</summary>
    public virtual bool IsShared => false;

    /// <summary>Keeps its bytes where another process can open them, from before it is sent until that has happened.</summary>
    public virtual void Pin()
    {
    }

    /// <summary>Undoes one <see cref="Pin"/>.</summary>
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
            if (held is IActorHandleLink link && link.Address.Number == address.Number)
                return link;
        }

        return Peer?.ImportActor(address, actorType) ?? throw new ActorNotFoundException($"Actor {new ObjectId(address.Number)} is not known to this process.");
    }
}
