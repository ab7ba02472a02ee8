using Serve.Calls;

namespace Serve.Runtime.CoreActors;

/// <summary>A call with one result.</summary>
internal sealed class ActorCall<TResult>(CoreActor actor, ObjectId id, MethodPlan plan, CallExtras? extras, MethodCall<TResult> call)
    : ActorCallRef<TResult>(actor, id, plan, extras)
{
    private MethodCall<TResult>? call = call;

    public override object?[] GetArguments() => Call.GetArguments();

    protected override void CollectRefs(ICollection<ObjectRef> references) => Volatile.Read(ref call)?.CollectRefs(references);

    protected override ValueTask<TResult> Invoke(ActorInvoker invoker, CancellationToken token) => invoker.Invoke(Call, token);

    // One for a worker may be on its way there still.
    protected override void Forget()
    {
        if (!Actor.IsProcess)
            call = null;
    }

    /// <exception cref="OperationCanceledException">It was settled meanwhile.</exception>
    private MethodCall<TResult> Call => Volatile.Read(ref call) ?? throw new OperationCanceledException($"Call {Title} is over.");
}
