using Serve.Calls;

namespace Serve.Runtime.Parallel;

/// <summary>Call or construction of a queue's actor: in place if the actor is in this process, by name otherwise.</summary>
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
