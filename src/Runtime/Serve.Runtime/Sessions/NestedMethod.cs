using System.Reflection;
using System.Runtime.CompilerServices;
using Serve.Runtime.Clusters;
using Serve.Runtime.CoreActors;
using Serve.Runtime.Methods;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Sessions;

/// <summary>A method of an actor that code in workers calls, as the head knows it. Immutable.</summary>
internal sealed class NestedMethod
{
    private static readonly MethodInfo OneResult = typeof(NestedMethod).GetMethod(nameof(CallAs), BindingFlags.NonPublic | BindingFlags.Instance)!;
    private static readonly MethodInfo Items = typeof(NestedMethod).GetMethod(nameof(StreamAs), BindingFlags.NonPublic | BindingFlags.Instance)!;

    // Weak, so that a collectible assembly can unload.
    private static readonly ConditionalWeakTable<ActorMethod, NestedMethod> Known = [];

    private readonly ActorMethod method;
    private readonly Lazy<Action<HeadCluster, HeadSession, CoreActor, Submit, CallOrigin>> call;
    private readonly Lazy<Action<HeadCluster, HeadSession, CoreActor, Submit, CallOrigin>> stream;

    private NestedMethod(ActorMethod method)
    {
        this.method = method;
        call = new(() => Make(OneResult, method.ReturnsNothing ? typeof(object) : method.ResultType));
        stream = new(() => Make(Items, SessionFunction.ItemOf(method.ResultType)));
    }

    public static NestedMethod Of(ActorMethod method) => Known.GetValue(method, static method => new(method));

    /// <summary>Calls it; the worker holds the result's ref from now on.</summary>
    /// <exception cref="Exception">Whatever an actor's caller is told at once: too many calls, no such concurrency group.</exception>
    public void Call(HeadCluster cluster, HeadSession session, CoreActor actor, Submit message, CallOrigin origin) =>
        (message.Stream ? stream : call).Value(cluster, session, actor, message, origin);

    private Action<HeadCluster, HeadSession, CoreActor, Submit, CallOrigin> Make(MethodInfo generic, Type result) =>
        generic.MakeGenericMethod(result).CreateDelegate<Action<HeadCluster, HeadSession, CoreActor, Submit, CallOrigin>>(this);

    private void CallAs<TResult>(HeadCluster cluster, HeadSession session, CoreActor actor, Submit message, CallOrigin origin) =>
        session.Lent.Add(actor.Submit(Read<TResult>(cluster, session, message), SettingsWire.FromWire(message.Call), origin));

    private void StreamAs<TItem>(HeadCluster cluster, HeadSession session, CoreActor actor, Submit message, CallOrigin origin)
    {
        var items = actor.SubmitStream(Read<IAsyncEnumerable<TItem>>(cluster, session, message), SettingsWire.FromWire(message.Call), origin);
        session.Lent.Add(items.Completion);
        LentStream.Forward(session, message, items);
    }

    private NestedCall<TResult> Read<TResult>(HeadCluster cluster, HeadSession session, Submit message) =>
        new(method, NestedArguments.Take(cluster, session, message.Id, message.Arguments, method.Parameters));
}
