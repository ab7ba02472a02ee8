using Serve.Calls;

namespace Serve;

/// <summary>A call with three arguments, kept as they are: nothing is boxed and nothing reflected over while it stays in this process.</summary>
internal sealed class RemoteMethodCall<TDeployment, T1, T2, T3, TResult>(
    string method, Func<TDeployment, T1, T2, T3, CancellationToken, ValueTask<TResult>>? invoke, T1 first, T2 second, T3 third) : MethodCall<TResult>
    where TDeployment : class
{
    public override string Method => method;

    public override bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<TResult> result)
    {
        if (invoke is null || target is not TDeployment deployment)
        {
            result = default;
            return false;
        }

        try
        {
            result = invoke(deployment, first, second, third, cancellationToken);
        }
        catch (Exception e)
        {
            result = ValueTask.FromException<TResult>(e);
        }

        return true;
    }

    public override object?[] GetArguments() => [first, second, third];
}
