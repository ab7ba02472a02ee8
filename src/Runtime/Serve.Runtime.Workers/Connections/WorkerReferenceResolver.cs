using System.Collections.Concurrent;
using System.Reflection;
using Serve.Runtime.Actors;
using Serve.Runtime.Serialization;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Translates object references and actor handles between a worker and its driver. Its state is delegates cached by type.</summary>
internal sealed class WorkerReferenceResolver(DriverConnection session) : IPeerReferenceResolver
{
    private static readonly MethodInfo Generic = typeof(WorkerReferenceResolver).GetMethod(nameof(Make), BindingFlags.NonPublic | BindingFlags.Static)!;
    private static readonly ConcurrentDictionary<Type, Func<DriverConnection, BorrowedObjectHold, ObjectRef>> Makers = new();

    public long Export(ObjectRef reference) => reference.Cluster == session.Cluster
        ? reference.Id.Number
        : throw new NotSerializableException($"Object {reference.Id} belongs to another cluster and cannot be passed to this one.");

    public object Adopt(long id) => session.Borrowed.Add(new(id));

    public ObjectRef Import(long id, Type valueType)
    {
        var hold = session.Borrowed.Find(new(id)) ?? throw new ObjectLostException($"Object {new ObjectId(id)} has already been released by this worker.");
        return Makers.GetOrAdd(valueType, static type => Generic.MakeGenericMethod(type).CreateDelegate<Func<DriverConnection, BorrowedObjectHold, ObjectRef>>())(session, hold);
    }

    public long Export(IActorHandleLink handle) => handle.Cluster == session.Cluster
        ? handle.Descriptor.Number
        : throw new NotSerializableException($"{handle} belongs to another cluster and cannot be passed to this one.");

    public object AdoptActor(long number) => session.Borrowed.Add(new(number));

    public object ImportActor(ActorHandleDescriptor address, Type actorType)
    {
        var hold = session.Borrowed.Find(new(address.Number)) ?? throw new ActorNotFoundException($"The handle to actor {new ObjectId(address.Number)} has already been released by this worker.");
        return Activator.CreateInstance(typeof(RemoteActorHandle<>).MakeGenericType(actorType), session, hold, address)!;
    }

    private static RemoteObjectRef<T> Make<T>(DriverConnection session, BorrowedObjectHold hold) => new(session, hold);
}
