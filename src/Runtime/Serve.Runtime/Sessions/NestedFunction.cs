using System.Reflection;
using Serve.Runtime.Clusters;
using Serve.Runtime.Methods;
using Serve.Runtime.Tasks;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Sessions;

/// <summary>A function that workers' tasks start, as the head knows it: the same program's, or one of an assembly that a worker has named. Immutable.</summary>
internal sealed class NestedFunction
{
    private static readonly MethodInfo OneResult = typeof(NestedFunction).GetMethod(nameof(SubmitAs), BindingFlags.NonPublic | BindingFlags.Instance)!;
    private static readonly MethodInfo Items = typeof(NestedFunction).GetMethod(nameof(StreamAs), BindingFlags.NonPublic | BindingFlags.Instance)!;

    private readonly RemoteFunction function;
    private readonly ActorMethod method;
    private readonly Action<HeadCluster, HeadSession, Submit, ITaskAttempt?> submit;

    public NestedFunction(Type type, Function named)
    {
        method = FunctionTable.Resolve(type, named.Method);
        var defaults = type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            .FirstOrDefault(candidate => candidate.Name == named.Method && candidate.IsDefined(typeof(RemoteAttribute), inherit: false))?.GetCustomAttribute<RemoteAttribute>();
        function = new(type, named.Method, named.IsAsync, defaults ?? new());
        var generic = method.Items is null
            ? OneResult.MakeGenericMethod(method.ReturnsNothing ? typeof(object) : method.ResultType)
            : Items.MakeGenericMethod(SessionFunction.ItemOf(method.ResultType));
        submit = generic.CreateDelegate<Action<HeadCluster, HeadSession, Submit, ITaskAttempt?>>(this);
    }

    /// <summary>Starts the task; the worker holds its ref from now on, also when it fails at once.</summary>
    public void Submit(HeadCluster cluster, HeadSession session, Submit message, ITaskAttempt? parent) => submit(cluster, session, message, parent);

    private void SubmitAs<TResult>(HeadCluster cluster, HeadSession session, Submit message, ITaskAttempt? parent)
    {
        var reference = new ObjectRef<TResult>(cluster, new(message.Id));
        session.Lent.Add(reference);
        try
        {
            var call = new NestedCall<TResult>(method, NestedArguments.Take(cluster, session, message.Id, message.Arguments, method.Parameters));
            cluster.Tasks.Submit(reference, function, call, SettingsWire.FromWire(message.Settings, cluster.Placement), parent);
        }
        catch (Exception thrown)
        {
            reference.TrySetException(thrown);
        }
    }

    private void StreamAs<TItem>(HeadCluster cluster, HeadSession session, Submit message, ITaskAttempt? parent)
    {
        var completion = new ObjectRef<TItem>(cluster, new(message.Id));
        session.Lent.Add(completion);
        try
        {
            var call = new NestedCall<IAsyncEnumerable<TItem>>(method, NestedArguments.Take(cluster, session, message.Id, message.Arguments, method.Parameters));
            LentStream.Forward(session, message, cluster.Tasks.SubmitStream(completion, function, call, SettingsWire.FromWire(message.Settings, cluster.Placement), parent));
        }
        catch (Exception thrown)
        {
            completion.TrySetException(thrown);
            LentStream.End(session, message.Id, thrown);
        }
    }
}
