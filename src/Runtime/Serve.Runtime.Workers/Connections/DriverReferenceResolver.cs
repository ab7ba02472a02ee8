using Serve.Runtime.Actors;
using Serve.Runtime.Clusters;
using Serve.Runtime.Serialization;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Translates object references and actor handles between the driver and one worker. Its state is the objects lent to that worker.</summary>
internal sealed class DriverReferenceResolver(DriverCluster cluster, LentObjects lent) : IPeerReferenceResolver
{
    public long Export(ObjectRef reference)
    {
        if (reference.Cluster != cluster)
            throw new NotSerializableException($"Object {reference.Id} belongs to another cluster and cannot be passed to this one.");
        lent.Add(reference);
        return reference.Id.Number;
    }

    public object Adopt(long id) => Import(id, typeof(object));

    public ObjectRef Import(long id, Type valueType) =>
        lent.Find(id) ?? throw new ObjectLostException($"Object {new ObjectId(id)} was sent by a worker that does not hold it.");

    public long Export(IActorHandleLink handle)
    {
        if (handle.Cluster != cluster)
            throw new NotSerializableException($"{handle} belongs to another cluster and cannot be passed to this one.");
        lent.Add(((IDriverActorHandle)handle).Calls);
        return handle.Descriptor.Number;
    }

    public object AdoptActor(long number) => Found(number).NewHandle();

    public object ImportActor(ActorHandleDescriptor address, Type actorType) => Found(address.Number).NewHandle();

    private ActorCallQueue Found(long number) =>
        lent.FindActor(number) ?? throw new ActorNotFoundException($"Actor {new ObjectId(number)} was sent by a worker that holds no handle to it.");
}
