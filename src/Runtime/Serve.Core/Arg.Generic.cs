using Serve.Calls;

namespace Serve;

/// <summary>An argument of a call: a value, the response of another call that is still running, or a ref to an object. All convert to it by themselves.</summary>
/// <typeparam name="T">The parameter's type.</typeparam>
public readonly struct Arg<T> : IArgument
{
    private readonly T value;
    private readonly object? pending;

    private Arg(T value, object? pending)
    {
        this.value = value;
        this.pending = pending;
    }

    /// <summary>The ref that stands for the value; null when none does.</summary>
    public ObjectRef? Reference => pending as ObjectRef;

    /// <summary>The value; where a ref stands for it, that is ready.</summary>
    /// <exception cref="InvalidOperationException">The argument is a running call of a deployment, or a ref that is not ready.</exception>
    public T Value => pending switch
    {
        ObjectRef<T> { IsReady: true } reference => reference.Result,
        ObjectRef { IsReady: true } reference => (T)reference.Box()!,
        ObjectRef or IPendingResult => throw new InvalidOperationException("The argument has no value yet."),
        _ => value,
    };

    /// <summary>Whether it is the default of the struct rather than a value or a ref.</summary>
    internal bool IsLeftOut => pending is null;

    internal static Arg<T> Of(T value) =>
        PendingArguments.IsHidden(value) ? new Arg<T>(default!, value) : new Arg<T>(value, Arg.Given);

    internal static Arg<T> After(IPendingResult response)
    {
        ArgumentNullException.ThrowIfNull(response);
        return new Arg<T>(default!, response);
    }

    internal static Arg<T> After(ObjectRef reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        return new Arg<T>(default!, reference);
    }

    /// <summary>Passes a value.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator Arg<T>(T value) => Of(value);

    /// <summary>Passes the object that a ref stands for, once it is there.</summary>
    /// <param name="reference">The ref.</param>
    public static implicit operator Arg<T>(ObjectRef<T> reference) => After(reference);

    /// <summary>The argument as <see cref="MethodCall{TResult}.GetArguments"/> has it.</summary>
    /// <returns>The value, or a <see cref="RefArgument"/>.</returns>
    public object? Box() => ForTask().pending is ObjectRef reference ? new RefArgument(reference) : value;

    /// <exception cref="ArgumentException">It is a running call of a deployment.</exception>
    internal Arg<T> ForTask() => pending is IPendingResult
        ? throw new ArgumentException("A running call of a deployment cannot be an argument of a task; await it first.")
        : this;

    async ValueTask<object?> IArgument.BoxAsync(CancellationToken cancellationToken) => await ResolveAsync(cancellationToken).ConfigureAwait(false);

    internal async ValueTask<T> ResolveAsync(CancellationToken cancellationToken) => pending switch
    {
        IPendingResult<T> typed => await typed.AsTask().WaitAsync(cancellationToken).ConfigureAwait(false),
        ObjectRef<T> typed => await typed.Cluster.Get(typed, null, cancellationToken).ConfigureAwait(false),
        ObjectRef reference => (T)(await reference.BoxAsync(cancellationToken).ConfigureAwait(false))!,
        IPendingResult response => (T)(await response.BoxAsync(cancellationToken).ConfigureAwait(false))!,
        _ => value,
    };
}
