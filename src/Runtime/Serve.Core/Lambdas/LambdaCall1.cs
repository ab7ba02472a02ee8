using Serve.Calls;

namespace Serve;

/// <summary>A call of a lambda with an argument, for which a ref may stand.</summary>
internal sealed class LambdaMethodCall<TWork, T, TResult>(
    RemoteFunction function, TWork work, Arg<T> argument, Func<TWork, T, CancellationToken, ValueTask<TResult>> invoke) : MethodCall<TResult>
{
    public override string Method => function.Method;

    public override bool HasRefs => argument.Reference is not null;

    public override bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<TResult> result)
    {
        try
        {
            result = invoke(work, argument.Value, cancellationToken);
        }
        catch (Exception thrown)
        {
            result = ValueTask.FromException<TResult>(thrown);
        }

        return true;
    }

    public override object?[] GetArguments() => [argument.Box()];

    public override void CollectRefs(ICollection<ObjectRef> references)
    {
        if (argument.Reference is { } reference)
            references.Add(reference);
    }
}
