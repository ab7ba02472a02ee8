using Serve.Calls;

namespace Serve;

/// <summary>A call with one argument, kept as it is: nothing is boxed and nothing reflected over while it stays in this process.</summary>
internal sealed class RemoteCall<TDeployment, T1, TResult>(
    string method, Func<TDeployment, T1, CancellationToken, ValueTask<TResult>> invoke, T1 first) : MethodCall<TResult>
    where TDeployment : class
{
    public override string Method => method;

    public override bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<TResult> result)
    {
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

    public override object?[] GetArguments() => [first];
}
