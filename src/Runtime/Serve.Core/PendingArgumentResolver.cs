using System.ComponentModel;

namespace Serve;

/// <summary>Finds responses and references among the arguments of a call, and waits for them.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class PendingArgumentResolver
{
    /// <summary>Returns whether any argument is a response or a reference.</summary>
    /// <param name="arguments">The arguments.</param>
    /// <returns>Whether any of them must be awaited.</returns>
    public static bool ContainsPending(object?[] arguments) => Array.Exists(arguments, static argument => argument is ObjectRef or ICallArgument);

    /// <summary>Returns whether a response or a reference was passed for a parameter of type object; for other types overload resolution decides.</summary>
    /// <typeparam name="T">The parameter's type.</typeparam>
    /// <param name="argument">The argument.</param>
    /// <returns>Whether it must be awaited.</returns>
    public static bool IsPendingObject<T>(T argument) => typeof(T) == typeof(object) && argument is IPendingCallResult or ObjectRef;

    /// <summary>Waits for all responses and references among the arguments.</summary>
    /// <param name="arguments">The arguments.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>A new array with the values.</returns>
    public static async ValueTask<object?[]> ResolveAsync(object?[] arguments, CancellationToken cancellationToken)
    {
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

/// <summary>An argument of a call by name that must be awaited.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface ICallArgument
{
    /// <summary>Waits for the argument's value.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The value.</returns>
    ValueTask<object?> ResolveBoxedAsync(CancellationToken cancellationToken);
}

/// <summary>The result of a running call that is not an object of a cluster: the response of a deployment.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface IPendingCallResult : ICallArgument;

/// <inheritdoc/>
/// <typeparam name="T">The result type.</typeparam>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface IPendingCallResult<T> : IPendingCallResult
{
    /// <summary>Returns the result as a task.</summary>
    /// <returns>The task.</returns>
    Task<T> AsTask();
}
