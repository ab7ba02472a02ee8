namespace Serve;

/// <summary>An argument of a call: a value, or the response of another call that is still running. Both convert to it by themselves.</summary>
/// <typeparam name="T">The parameter's type.</typeparam>
public readonly struct Arg<T> : IArgument
{
    private readonly T value;
    private readonly DeploymentResponse? pending;

    private Arg(T value, DeploymentResponse? pending)
    {
        this.value = value;
        this.pending = pending;
    }

    internal static Arg<T> Of(T value) =>
        PendingArguments.IsHidden(value) ? new Arg<T>(default!, (DeploymentResponse)(object)value!) : new Arg<T>(value, null);

    internal static Arg<T> After<TValue>(DeploymentResponse<TValue> response)
        where TValue : T
    {
        ArgumentNullException.ThrowIfNull(response);
        return new Arg<T>(default!, response);
    }

    /// <summary>Passes a value.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator Arg<T>(T value) => Of(value);

    /// <summary>Passes the result of another call, once it is there.</summary>
    /// <param name="response">The running call.</param>
    public static implicit operator Arg<T>(DeploymentResponse<T> response) => After(response);

    async ValueTask<object?> IArgument.BoxAsync(CancellationToken cancellationToken) => await ResolveAsync(cancellationToken).ConfigureAwait(false);

    internal async ValueTask<T> ResolveAsync(CancellationToken cancellationToken) => pending switch
    {
        null => value,
        DeploymentResponse<T> typed => await typed.AsTask().WaitAsync(cancellationToken).ConfigureAwait(false),
        _ => (T)(await pending.BoxAsync(cancellationToken).ConfigureAwait(false))!,
    };
}
