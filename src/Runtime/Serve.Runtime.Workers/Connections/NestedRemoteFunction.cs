using System.Reflection;
using Serve.Runtime.Clusters;
using Serve.Runtime.Methods;
using Serve.Runtime.Tasks;
using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Function that code in workers starts, resolved in the driver: of the same program, or of an assembly that a worker named. Immutable.</summary>
internal sealed class NestedRemoteFunction
{
    private static readonly MethodInfo OneResult = typeof(NestedRemoteFunction).GetMethod(nameof(SubmitAs), BindingFlags.NonPublic | BindingFlags.Instance)!;
    private static readonly MethodInfo Items = typeof(NestedRemoteFunction).GetMethod(nameof(StreamAs), BindingFlags.NonPublic | BindingFlags.Instance)!;

    private readonly RemoteFunction _function;
    private readonly ActorMethodInvoker _method;
    private readonly Action<DriverCluster, WorkerConnection, Submit, ITaskAttempt?> _submit;

    public NestedRemoteFunction(Type type, Function named)
    {
        _method = RemoteFunctionTable.Resolve(type, named.Method);
        var defaults = type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            .FirstOrDefault(candidate => candidate.Name == named.Method && candidate.IsDefined(typeof(RemoteAttribute), inherit: false))?.GetCustomAttribute<RemoteAttribute>();
        _function = new(type, named.Method, named.IsAsync, defaults ?? new());
        var generic = _method.Items is null
            ? OneResult.MakeGenericMethod(_method.ReturnsNothing ? typeof(object) : _method.ResultType)
            : Items.MakeGenericMethod(BoundRemoteFunction.ItemOf(_method.ResultType));
        _submit = generic.CreateDelegate<Action<DriverCluster, WorkerConnection, Submit, ITaskAttempt?>>(this);
    }

    /// <summary>Submits the task; the worker holds its reference from now on, even if the submission fails.</summary>
    public void Submit(DriverCluster cluster, WorkerConnection session, Submit message, ITaskAttempt? parent) => _submit(cluster, session, message, parent);

    private void SubmitAs<TResult>(DriverCluster cluster, WorkerConnection session, Submit message, ITaskAttempt? parent)
    {
        var reference = new ObjectRef<TResult>(cluster, new(message.Id));
        session.Lent.Add(reference);
        try
        {
            var call = new NestedMethodCall<TResult>(_method, NestedArgumentReader.ReadAll(cluster, session, message.Id, message.Arguments, _method.Parameters));
            cluster.Tasks.Submit(reference, _function, call, TaskSettingsConverter.FromWire(message.Settings, cluster.Placement), parent);
        }
        catch (Exception thrown)
        {
            reference.TrySetException(thrown);
        }
    }

    private void StreamAs<TItem>(DriverCluster cluster, WorkerConnection session, Submit message, ITaskAttempt? parent)
    {
        var completion = new ObjectRef<TItem>(cluster, new(message.Id));
        session.Lent.Add(completion);
        try
        {
            var call = new NestedMethodCall<IAsyncEnumerable<TItem>>(_method, NestedArgumentReader.ReadAll(cluster, session, message.Id, message.Arguments, _method.Parameters));
            LentStreamForwarder.Forward(session, message, cluster.Tasks.SubmitStream(completion, _function, call, TaskSettingsConverter.FromWire(message.Settings, cluster.Placement), parent));
        }
        catch (Exception thrown)
        {
            completion.TrySetException(thrown);
            LentStreamForwarder.End(session, message.Id, thrown);
        }
    }
}
