using System.Collections.Concurrent;
using System.Reflection;
using Google.Protobuf.Collections;
using Serve.Calls;
using Serve.Runtime.Clusters;
using Serve.Runtime.Serialization;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Imports the arguments of calls that code in a worker makes. Its state is delegates cached by type.</summary>
internal static class NestedArgumentReader
{
    private static readonly MethodInfo KeepGeneric = typeof(NestedArgumentReader).GetMethod(nameof(Keep), BindingFlags.NonPublic | BindingFlags.Static)!;
    private static readonly ConcurrentDictionary<Type, Func<Cluster, ObjectId, StoredObject, ObjectRef>> Keepers = new();

    /// <summary>Converts arguments to the driver's form: references that stand for values, and values that are decoded later.</summary>
    /// <param name="cluster">The cluster that executes the call.</param>
    /// <param name="session">The connection that they arrived on.</param>
    /// <param name="id">Id that they were sent with.</param>
    /// <param name="values">The arguments.</param>
    /// <param name="parameters">The parameters that they are for.</param>
    /// <exception cref="ObjectLostException">The worker has released a reference that it passes on.</exception>
    public static object?[] ReadAll(DriverCluster cluster, WorkerConnection session, long id, RepeatedField<Value> values, IReadOnlyList<ParameterInfo> parameters)
    {
        var arguments = new object?[values.Count];
        for (var i = 0; i < arguments.Length; i++)
            arguments[i] = ReadAll(cluster, session, id, values[i], parameters[i].ParameterType);
        return arguments;
    }

    /// <summary>Creates a reference to a received value.</summary>
    public static ObjectRef RefTo(Cluster cluster, ObjectId id, StoredObject value, Type type) =>
        Keepers.GetOrAdd(type, static type => KeepGeneric.MakeGenericMethod(type).CreateDelegate<Func<Cluster, ObjectId, StoredObject, ObjectRef>>())(cluster, id, value);

    /// <summary>Returns an argument as user code receives it; a reference that stands for a value is ready.</summary>
    public static object? ValueOf(object? argument, Type type) => argument switch
    {
        ObjectRefArgument { Reference: var reference } => reference.GetBoxedResult(),
        EncodedObject encoded => encoded.Load(type),
        var plain => plain,
    };

    private static object ReadAll(DriverCluster cluster, WorkerConnection session, long id, Value value, Type type)
    {
        if (value.ContentCase == Value.ContentOneofCase.ObjectId)
            return new ObjectRefArgument(session.Lent.Find(value.ObjectId) ?? throw new ObjectLostException($"Object {new ObjectId(value.ObjectId)} has already been released by the worker that passes it on."));
        var taken = session.ImportValue(value, id, type);

        // Shared memory is owned by a reference, so that it exists for every attempt.
        return taken.IsShared ? new ObjectRefArgument(RefTo(cluster, cluster.NextId(), taken, type)) : taken;
    }

    private static ObjectRef<T> Keep<T>(Cluster cluster, ObjectId id, StoredObject value)
    {
        var reference = new ObjectRef<T>(cluster, id);
        reference.TrySetStored(value);
        return reference;
    }
}
