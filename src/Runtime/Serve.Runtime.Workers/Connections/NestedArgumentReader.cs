using System.Collections.Concurrent;
using System.Reflection;
using Google.Protobuf.Collections;
using Serve.Calls;
using Serve.Runtime.Clusters;
using Serve.Runtime.Serialization;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Takes over the arguments of what code in a worker calls. Holds no state but what it has worked out of types.</summary>
internal static class NestedArgumentReader
{
    private static readonly MethodInfo KeepGeneric = typeof(NestedArgumentReader).GetMethod(nameof(Keep), BindingFlags.NonPublic | BindingFlags.Static)!;
    private static readonly ConcurrentDictionary<Type, Func<Cluster, ObjectId, StoredObject, ObjectRef>> Keepers = new();

    /// <summary>The arguments as a call of the head has them: refs that stand for values, and values to be decoded.</summary>
    /// <param name="cluster">Whose call it is.</param>
    /// <param name="session">Where they come from.</param>
    /// <param name="id">What they were sent with.</param>
    /// <param name="values">The arguments.</param>
    /// <param name="parameters">What they are for.</param>
    /// <exception cref="ObjectLostException">The worker holds a ref no longer that it passes on.</exception>
    public static object?[] ReadAll(DriverCluster cluster, WorkerConnection session, long id, RepeatedField<Value> values, IReadOnlyList<ParameterInfo> parameters)
    {
        var arguments = new object?[values.Count];
        for (var i = 0; i < arguments.Length; i++)
            arguments[i] = ReadAll(cluster, session, id, values[i], parameters[i].ParameterType);
        return arguments;
    }

    /// <summary>A ref to a value that came as bytes.</summary>
    public static ObjectRef RefTo(Cluster cluster, ObjectId id, StoredObject value, Type type) =>
        Keepers.GetOrAdd(type, static type => KeepGeneric.MakeGenericMethod(type).CreateDelegate<Func<Cluster, ObjectId, StoredObject, ObjectRef>>())(cluster, id, value);

    /// <summary>An argument as the code takes it; a ref that stands for a value is ready.</summary>
    public static object? ValueOf(object? argument, Type type) => argument switch
    {
        ObjectRefArgument { Reference: var reference } => reference.GetBoxedResult(),
        EncodedObject encoded => encoded.Load(type),
        var plain => plain,
    };

    private static object ReadAll(DriverCluster cluster, WorkerConnection session, long id, Value value, Type type)
    {
        if (value.ContentCase == Value.ContentOneofCase.ObjectId)
            return new ObjectRefArgument(session.Lent.Find(value.ObjectId) ?? throw new ObjectLostException($"Object {new ObjectId(value.ObjectId)} was given back by the worker that passes it on."));
        var taken = session.ImportValue(value, id, type);

        // Memory that is shared belongs to a ref, so that it is there for every attempt.
        return taken.IsShared ? new ObjectRefArgument(RefTo(cluster, cluster.NextId(), taken, type)) : taken;
    }

    private static ObjectRef<T> Keep<T>(Cluster cluster, ObjectId id, StoredObject value)
    {
        var reference = new ObjectRef<T>(cluster, id);
        reference.TrySetStored(value);
        return reference;
    }
}
