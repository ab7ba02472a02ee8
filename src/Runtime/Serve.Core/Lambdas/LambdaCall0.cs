using Serve.Calls;

namespace Serve;

/// <summary>A call of a lambda. In this process the delegate runs; elsewhere the method is found by its name.</summary>
internal sealed class LambdaMethodCall<TWork, TResult>(RemoteFunction function, TWork work, Func<TWork, CancellationToken, ValueTask<TResult>> invoke)
    : MethodCall<TResult>
{
    public override string Method => function.Method;

    public override bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<TResult> result)
    {
        try
        {
            result = invoke(work, cancellationToken);
        }
        catch (Exception thrown)
        {
            result = ValueTask.FromException<TResult>(thrown);
        }

        return true;
    }

    public override object?[] GetArguments() => [];
}
