using Serve.Calls;

namespace Serve;

/// <summary>A call with one argument, kept as it is: nothing is boxed and nothing reflected over while it stays in this process.</summary>
internal sealed class RemoteMethodCall<TDeployment, T1, TResult>(
    string method, Func<TDeployment, T1, CancellationToken, ValueTask<TResult>>? invoke, T1 first) : MethodCall<TResult>
    where TDeployment : class
{
    public override string Method => method;

    public override bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<TResult> result)
    {
        if (invoke is null)
            return TryQueue(target, cancellationToken, out result);
        if (target is not TDeployment deployment)
        {
            result = default;
            return false;
        }

        try
        {
            result = invoke(deployment, first, cancellationToken);
        }
        catch (Exception e)
        {
            result = ValueTask.FromException<TResult>(e);
        }

        return true;
    }

    // The method works on many items at once, so it is never invoked with this one: what gathers them takes it.
    private bool TryQueue(object target, CancellationToken cancellationToken, out ValueTask<TResult> result)
    {
        var batched = target as IBatched<T1, TResult>;
        result = batched is null ? default : batched.InvokeAsync(first, cancellationToken);
        return batched is not null;
    }

    public override object?[] GetArguments() => [first];
}
