using System.Reflection;
using System.Runtime.CompilerServices;
using Serve.Runtime.Actors;
using Serve.Runtime.Clusters;
using Serve.Runtime.Methods;
using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Actor method that code in workers calls, resolved in the driver. Immutable.</summary>
internal sealed class NestedActorMethod
{
    private static readonly MethodInfo OneResult = typeof(NestedActorMethod).GetMethod(nameof(CallAs), BindingFlags.NonPublic | BindingFlags.Instance)!;
    private static readonly MethodInfo Items = typeof(NestedActorMethod).GetMethod(nameof(StreamAs), BindingFlags.NonPublic | BindingFlags.Instance)!;

    // Weak, so that a collectible assembly can unload.
    private static readonly ConditionalWeakTable<ActorMethodInvoker, NestedActorMethod> Known = [];

    private readonly ActorMethodInvoker _method;
    private readonly Lazy<Action<DriverCluster, WorkerConnection, ActorCallQueue, Submit, ActorCallOrigin>> _call;
    private readonly Lazy<Action<DriverCluster, WorkerConnection, ActorCallQueue, Submit, ActorCallOrigin>> _stream;

    private NestedActorMethod(ActorMethodInvoker method)
    {
        _method = method;
        _call = new(() => Make(OneResult, method.ReturnsNothing ? typeof(object) : method.ResultType));
        _stream = new(() => Make(Items, BoundRemoteFunction.ItemOf(method.ResultType)));
    }

    public static NestedActorMethod Of(ActorMethodInvoker method) => Known.GetValue(method, static method => new(method));

    /// <summary>Calls the method; the worker holds the reference of the result from now on.</summary>
    /// <exception cref="Exception">The call is rejected: too many pending calls, or no such concurrency group.</exception>
    public void Call(DriverCluster cluster, WorkerConnection session, ActorCallQueue actor, Submit message, ActorCallOrigin origin) =>
        (message.Stream ? _stream : _call).Value(cluster, session, actor, message, origin);

    private Action<DriverCluster, WorkerConnection, ActorCallQueue, Submit, ActorCallOrigin> Make(MethodInfo generic, Type result) =>
        generic.MakeGenericMethod(result).CreateDelegate<Action<DriverCluster, WorkerConnection, ActorCallQueue, Submit, ActorCallOrigin>>(this);

    private void CallAs<TResult>(DriverCluster cluster, WorkerConnection session, ActorCallQueue actor, Submit message, ActorCallOrigin origin) =>
        session.Lent.Add(actor.Submit(Read<TResult>(cluster, session, message), TaskSettingsConverter.FromWire(message.Call), origin));

    private void StreamAs<TItem>(DriverCluster cluster, WorkerConnection session, ActorCallQueue actor, Submit message, ActorCallOrigin origin)
    {
        var items = actor.SubmitStream(Read<IAsyncEnumerable<TItem>>(cluster, session, message), TaskSettingsConverter.FromWire(message.Call), origin);
        session.Lent.Add(items.Completion);
        LentStreamForwarder.Forward(session, message, items);
    }

    private NestedMethodCall<TResult> Read<TResult>(DriverCluster cluster, WorkerConnection session, Submit message) =>
        new(_method, NestedArgumentReader.ReadAll(cluster, session, message.Id, message.Arguments, _method.Parameters));
}
