namespace Serve;

/// <summary>Finds running calls and refs among the arguments of another, and waits for them.</summary>
internal static class PendingArgumentResolver
{
    public static bool ContainsPending(object?[] arguments)
    {
        foreach (var argument in arguments)
        {
            if (argument is ObjectRef or ICallArgument)
                return true;
        }

        return false;
    }

    /// <summary>Whether a response or a ref hides behind a parameter declared as object; for other types the compiler has picked the overload.</summary>
    public static bool IsPendingObject<T>(T argument) => typeof(T) == typeof(object) && argument is IPendingCallResult or ObjectRef;

    public static async ValueTask<object?[]> ResolveAsync(object?[] arguments, CancellationToken cancellationToken)
    {
        // A copy: the caller's array is the caller's.
        var values = new object?[arguments.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = arguments[i] switch
            {
                ObjectRef reference => await reference.GetBoxedAsync(cancellationToken).ConfigureAwait(false),
                ICallArgument argument => await argument.ResolveBoxedAsync(cancellationToken).ConfigureAwait(false),
                var value => value,
            };
        }

        return values;
    }
}
