using Serve.Runtime.Actors;
using Serve.Runtime.Serialization;

namespace Serve.Runtime.Tests.Serialization;

/// <summary>Peer of a connection, without a connection.</summary>
internal sealed class FakePeerReferenceResolver : IPeerReferenceResolver
{
    public List<long> Exported { get; } = [];

    public List<long> Adopted { get; } = [];

    public Dictionary<long, ObjectRef> Known { get; } = [];

    public Dictionary<long, object> Actors { get; } = [];

    public long Export(ObjectRef reference)
    {
        Exported.Add(reference.Id.Number);
        return reference.Id.Number;
    }

    public object Adopt(long id)
    {
        Adopted.Add(id);
        return Known.TryGetValue(id, out var reference) ? reference : new object();
    }

    public ObjectRef Import(long id, Type valueType) => Known[id];

    public long Export(IActorHandleLink handle)
    {
        Exported.Add(handle.Descriptor.Number);
        return handle.Descriptor.Number;
    }

    public object AdoptActor(long number)
    {
        Adopted.Add(number);
        return Actors[number];
    }

    public object ImportActor(ActorHandleDescriptor address, Type actorType) => Actors[address.Number];
}
