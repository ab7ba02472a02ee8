using System.Collections.Concurrent;
using System.Reflection;
using Serve.Runtime.Actors;
using Serve.Runtime.Serialization;

namespace Serve.Runtime.Workers.Connections;

/// <summary>How refs and handles cross from a worker to its head and back. Holds no state but what it has worked out of types.</summary>
internal sealed class WorkerReferenceResolver(DriverConnection session) : IPeerReferenceResolver
{
    private static readonly MethodInfo Generic = typeof(WorkerReferenceResolver).GetMethod(nameof(Make), BindingFlags.NonPublic | BindingFlags.Static)!;
    private static readonly ConcurrentDictionary<Type, Func<DriverConnection, BorrowedObjectHold, ObjectRef>> Makers = new();

    public long Export(ObjectRef reference) => reference.Cluster == session.Cluster
        ? reference.Id.Number
        : throw new NotSerializableException($"Object {reference.Id} is of another cluster and cannot be passed on.");

    public object Adopt(long id) => session.Borrowed.Add(new(id));

    public ObjectRef Import(long id, Type valueType)
    {
        var hold = session.Borrowed.Find(new(id)) ?? throw new ObjectLostException($"Object {new ObjectId(id)} was given back by this worker.");
        return Makers.GetOrAdd(valueType, static type => Generic.MakeGenericMethod(type).CreateDelegate<Func<DriverConnection, BorrowedObjectHold, ObjectRef>>())(session, hold);
    }

    public long Export(IActorHandleLink handle) => handle.Cluster == session.Cluster
        ? handle.Descriptor.Number
        : throw new NotSerializableException($"{handle} is of another cluster and cannot be passed on.");

    public object AdoptActor(long number) => session.Borrowed.Add(new(number));

    public object ImportActor(ActorHandleDescriptor address, Type actorType)
    {
        var hold = session.Borrowed.Find(new(address.Number)) ?? throw new ActorNotFoundException($"The handle to actor {new ObjectId(address.Number)} was given back by this worker.");
        return Activator.CreateInstance(typeof(RemoteActorHandle<>).MakeGenericType(actorType), session, hold, address)!;
    }

    private static RemoteObjectRef<T> Make<T>(DriverConnection session, BorrowedObjectHold hold) => new(session, hold);
}
