using Serve.Calls;

namespace Serve.Runtime.CoreActors;

/// <summary>A call with one result.</summary>
internal sealed class UnaryActorCall<TResult>(ActorRecord actor, ObjectId id, ActorMethodPlan plan, ActorCallDetails? extras, MethodCall<TResult> call)
    : PendingActorCall<TResult>(actor, id, plan, extras)
{
    private MethodCall<TResult>? _call = call;

    public override object?[] GetArguments() => Call.GetArguments();

    protected override void CollectRefs(ICollection<ObjectRef> references) => Volatile.Read(ref _call)?.CollectRefs(references);

    protected override ValueTask<TResult> Invoke(ActorCallInvoker invoker, CancellationToken token) => invoker.Invoke(Call, token);

    // One for a worker may be on its way there still.
    protected override void Forget()
    {
        if (!Actor.IsProcess)
            _call = null;
    }

    /// <exception cref="OperationCanceledException">It was settled meanwhile.</exception>
    private MethodCall<TResult> Call => Volatile.Read(ref _call) ?? throw new OperationCanceledException($"Call {Title} is over.");
}
