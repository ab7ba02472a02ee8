using Serve.Runtime.Clusters;
using Serve.Runtime.CoreActors;
using Serve.Runtime.Serialization;

namespace Serve.Runtime.Sessions;

/// <summary>How refs and handles cross from the head to one worker and back. Holds no state but the loans.</summary>
internal sealed class DriverReferenceResolver(DriverCluster cluster, LentObjects lent) : IPeerReferenceResolver
{
    public long Export(ObjectRef reference)
    {
        if (reference.Cluster != cluster)
            throw new NotSerializableException($"Object {reference.Id} is of another cluster and cannot be passed on.");
        lent.Add(reference);
        return reference.Id.Number;
    }

    public object Adopt(long id) => Import(id, typeof(object));

    public ObjectRef Import(long id, Type valueType) =>
        lent.Find(id) ?? throw new ObjectLostException($"Object {new ObjectId(id)} came from a worker that did not hold it.");

    public long Export(IActorHandleLink handle)
    {
        if (handle.Cluster != cluster)
            throw new NotSerializableException($"{handle} is of another cluster and cannot be passed on.");
        lent.Add(((IDriverActorHandle)handle).Record);
        return handle.Address.Number;
    }

    public object AdoptActor(long number) => Found(number).NewHandle();

    public object ImportActor(ActorHandleDescriptor address, Type actorType) => Found(address.Number).NewHandle();

    private ActorRecord Found(long number) =>
        lent.FindActor(number) ?? throw new ActorNotFoundException($"Actor {new ObjectId(number)} came from a worker that had no handle to it.");
}
