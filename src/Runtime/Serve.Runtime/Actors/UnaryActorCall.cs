using Serve.Calls;

namespace Serve.Runtime.Actors;

/// <summary>An actor call with one result.</summary>
internal sealed class UnaryActorCall<TResult>(ActorCallQueue queue, ObjectId id, ActorMethodPlan plan, ActorCallDetails? details, MethodCall<TResult> call)
    : PendingActorCall<TResult>(queue, id, plan, details)
{
    private MethodCall<TResult>? _call = call;

    public override object?[] GetArguments() => Call.GetArguments();

    protected override void CollectRefs(ICollection<ObjectRef> references) => Volatile.Read(ref _call)?.CollectRefs(references);

    protected override ValueTask<TResult> Invoke(ActorCallInvoker invoker, CancellationToken token) => invoker.Invoke(Call, token);

    // A call to a worker may not have been written to the connection yet.
    protected override void ReleaseArguments()
    {
        if (!Queue.IsProcess)
            _call = null;
    }

    /// <exception cref="OperationCanceledException">The call has been completed concurrently.</exception>
    private MethodCall<TResult> Call => Volatile.Read(ref _call) ?? throw new OperationCanceledException($"Call {Title} has ended.");
}
