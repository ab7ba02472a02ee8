using Serve.Calls;

namespace Serve;

/// <summary>An argument of a call: a value, the response of another call that is still running, or a ref to an object. All convert to it by themselves.</summary>
/// <typeparam name="T">The parameter's type.</typeparam>
public readonly struct Arg<T> : ICallArgument
{
    private readonly T _value;
    private readonly object? _pending;

    private Arg(T value, object? pending)
    {
        this._value = value;
        this._pending = pending;
    }

    /// <summary>The ref that stands for the value; null when none does.</summary>
    public ObjectRef? Reference => _pending as ObjectRef;

    /// <summary>The value; where a ref stands for it, that is ready.</summary>
    /// <exception cref="InvalidOperationException">The argument is a running call of a deployment, or a ref that is not ready.</exception>
    public T Value => _pending switch
    {
        ObjectRef<T> { IsReady: true } reference => reference.Result,
        ObjectRef { IsReady: true } reference => (T)reference.GetBoxedResult()!,
        ObjectRef or IPendingCallResult => throw new InvalidOperationException("The argument has no value yet."),
        _ => _value,
    };

    /// <summary>Whether it is the default of the struct rather than a value or a ref.</summary>
    internal bool IsLeftOut => _pending is null;

    internal static Arg<T> Of(T value) =>
        PendingArgumentResolver.IsPendingObject(value) ? new Arg<T>(default!, value) : new Arg<T>(value, Arg.Given);

    internal static Arg<T> After(IPendingCallResult response)
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
    /// <returns>The value, or a <see cref="ObjectRefArgument"/>.</returns>
    public object? Box() => ForTask()._pending is ObjectRef reference ? new ObjectRefArgument(reference) : _value;

    /// <exception cref="ArgumentException">It is a running call of a deployment.</exception>
    internal Arg<T> ForTask() => _pending is IPendingCallResult
        ? throw new ArgumentException("A running call of a deployment cannot be an argument of a task; await it first.")
        : this;

    async ValueTask<object?> ICallArgument.ResolveBoxedAsync(CancellationToken cancellationToken) => await ResolveAsync(cancellationToken).ConfigureAwait(false);

    internal async ValueTask<T> ResolveAsync(CancellationToken cancellationToken) => _pending switch
    {
        IPendingCallResult<T> typed => await typed.AsTask().WaitAsync(cancellationToken).ConfigureAwait(false),
        ObjectRef<T> typed => await typed.Cluster.Get(typed, null, cancellationToken).ConfigureAwait(false),
        ObjectRef reference => (T)(await reference.GetBoxedAsync(cancellationToken).ConfigureAwait(false))!,
        IPendingCallResult response => (T)(await response.ResolveBoxedAsync(cancellationToken).ConfigureAwait(false))!,
        _ => _value,
    };
}
