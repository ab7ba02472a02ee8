using Serve.Calls;

namespace Serve.Runtime.Parallel;

/// <summary>A call of a queue's actor, or of its constructor: in place where the actor is in this process, by name elsewhere.</summary>
internal sealed class QueueActorCall<T, TResult>(string method, Func<SharedQueueActor<T>?, CancellationToken, ValueTask<TResult>> invoke, params object?[] arguments) : MethodCall<TResult>
{
    public override string Method => method;

    public override bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<TResult> result)
    {
        if (target is not SharedQueueActor<T> && method != ".ctor")
        {
            result = default;
            return false;
        }

        result = invoke(target as SharedQueueActor<T>, cancellationToken);
        return true;
    }

    public override object?[] GetArguments() => arguments;
}
