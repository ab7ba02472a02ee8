using Serve.Calls;

namespace Serve;

/// <summary>A call with no arguments, made where it was compiled: nothing is boxed and nothing reflected over while it stays in this process.</summary>
internal sealed class RemoteMethodCall<TDeployment, TResult>(
    string method, Func<TDeployment, CancellationToken, ValueTask<TResult>> invoke) : MethodCall<TResult>
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
            result = invoke(deployment, cancellationToken);
        }
        catch (Exception e)
        {
            result = ValueTask.FromException<TResult>(e);
        }

        return true;
    }

    public override object?[] GetArguments() => [];
}
