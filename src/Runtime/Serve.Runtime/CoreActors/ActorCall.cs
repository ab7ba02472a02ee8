using Serve.Calls;

namespace Serve.Runtime.CoreActors;

/// <summary>A call with one result.</summary>
internal sealed class ActorCall<TResult>(CoreActor actor, ObjectId id, MethodPlan plan, CallExtras? extras, MethodCall<TResult> call)
    : ActorCallRef<TResult>(actor, id, plan, extras)
{
    public override string Method => call.Method;

    public override object?[] GetArguments() => call.GetArguments();

    protected override void CollectRefs(ICollection<ObjectRef> references) => call.CollectRefs(references);

    protected override ValueTask<TResult> Invoke(ActorInvoker invoker, CancellationToken token) => invoker.Invoke(call, token);
}
