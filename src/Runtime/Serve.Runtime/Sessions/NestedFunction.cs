using System.Reflection;
using Google.Protobuf.Collections;
using Serve.Calls;
using Serve.Runtime.Clusters;
using Serve.Runtime.Methods;
using Serve.Runtime.Tasks;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Sessions;

/// <summary>A function that workers' tasks start, as the head knows it: the same program's, or one of an assembly that a worker has named. Immutable.</summary>
internal sealed class NestedFunction
{
    private static readonly MethodInfo Generic = typeof(NestedFunction).GetMethod(nameof(SubmitAs), BindingFlags.NonPublic | BindingFlags.Instance)!;

    private readonly RemoteFunction function;
    private readonly ActorMethod method;
    private readonly Action<HeadCluster, HeadSession, Submit, ITaskAttempt?> submit;

    public NestedFunction(Type type, Function named)
    {
        method = FunctionTable.Resolve(type, named.Method);
        var defaults = type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            .FirstOrDefault(candidate => candidate.Name == named.Method && candidate.IsDefined(typeof(RemoteAttribute), inherit: false))?.GetCustomAttribute<RemoteAttribute>();
        function = new(type, named.Method, named.IsAsync, defaults ?? new());
        var result = method.ReturnsNothing ? typeof(object) : method.ResultType;
        submit = Generic.MakeGenericMethod(result).CreateDelegate<Action<HeadCluster, HeadSession, Submit, ITaskAttempt?>>(this);
    }

    /// <summary>Starts the task; the worker holds its ref from now on, also when it fails at once.</summary>
    public void Submit(HeadCluster cluster, HeadSession session, Submit message, ITaskAttempt? parent) => submit(cluster, session, message, parent);

    private void SubmitAs<TResult>(HeadCluster cluster, HeadSession session, Submit message, ITaskAttempt? parent)
    {
        var reference = new ObjectRef<TResult>(cluster, new(message.Id));
        session.Lent.Add(reference);
        try
        {
            var arguments = Arguments(session, message.Id, message.Arguments);
            cluster.Tasks.Submit(reference, function, new NestedCall<TResult>(method, arguments), SettingsWire.FromWire(message.Settings), parent);
        }
        catch (Exception thrown)
        {
            reference.TrySetException(thrown);
        }
    }

    private object?[] Arguments(HeadSession session, long id, RepeatedField<Value> values)
    {
        var arguments = new object?[values.Count];
        for (var i = 0; i < arguments.Length; i++)
        {
            arguments[i] = values[i].ContentCase == Value.ContentOneofCase.ObjectId
                ? new RefArgument(session.Lent.Find(values[i].ObjectId) ?? throw new ObjectLostException($"Object {new ObjectId(values[i].ObjectId)} was given back by the worker that passes it on."))
                : session.Take(values[i], id, method.Parameters[i].ParameterType);
        }

        return arguments;
    }
}
