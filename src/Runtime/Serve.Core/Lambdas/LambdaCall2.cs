using Serve.Calls;

namespace Serve;

/// <summary>A call of a lambda with two arguments, for which refs may stand.</summary>
internal sealed class LambdaMethodCall<TWork, T1, T2, TResult>(
    RemoteFunction function, TWork work, Arg<T1> first, Arg<T2> second, Func<TWork, T1, T2, CancellationToken, ValueTask<TResult>> invoke) : MethodCall<TResult>
{
    public override string Method => function.Method;

    public override bool HasRefs => first.Reference is not null || second.Reference is not null;

    public override bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<TResult> result)
    {
        try
        {
            result = invoke(work, first.Value, second.Value, cancellationToken);
        }
        catch (Exception thrown)
        {
            result = ValueTask.FromException<TResult>(thrown);
        }

        return true;
    }

    public override object?[] GetArguments() => [first.Box(), second.Box()];

    public override void CollectRefs(ICollection<ObjectRef> references)
    {
        if (first.Reference is { } one)
            references.Add(one);
        if (second.Reference is { } two)
            references.Add(two);
    }
}
