using System.ComponentModel;
using Serve.Calls;

namespace Serve;

/// <summary>An argument of a call: a value, the response of a running call, or a reference to an object. All of them convert implicitly.</summary>
/// <typeparam name="T">The parameter's type.</typeparam>
public readonly struct Arg<T> : ICallArgument
{
    private readonly T _value;
    private readonly object? _pending;

    private Arg(T value, object? pending)
    {
        _value = value;
        _pending = pending;
    }

    /// <summary>Gets the reference that was passed for the value; null if a value was passed.</summary>
    public ObjectRef? Reference => _pending as ObjectRef;

    /// <summary>Gets the value. A reference that was passed for it must be ready.</summary>
    /// <exception cref="InvalidOperationException">The argument is the response of a running call, or a reference that is not ready.</exception>
    public T Value => _pending switch
    {
        ObjectRef<T> { IsReady: true } reference => reference.Result,
        ObjectRef { IsReady: true } reference => (T)reference.GetBoxedResult()!,
        ObjectRef or IPendingCallResult => throw new InvalidOperationException("The argument is not ready. Await the call or the reference that was passed for it first."),
        _ => _value,
    };

    /// <summary>Whether the argument was omitted: it is the default of the struct.</summary>
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

    /// <summary>Creates an argument from a value.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator Arg<T>(T value) => Of(value);

    /// <summary>Creates an argument from the object of a reference; the call waits until it is ready.</summary>
    /// <param name="reference">The reference.</param>
    public static implicit operator Arg<T>(ObjectRef<T> reference) => After(reference);

    /// <summary>Returns the argument in the form of <see cref="MethodCall{TResult}.GetArguments"/>.</summary>
    /// <returns>The value, or a <see cref="ObjectRefArgument"/>.</returns>
    public object? Box() => ForTask()._pending is ObjectRef reference ? new ObjectRefArgument(reference) : _value;

    /// <exception cref="ArgumentException">The argument is the response of a running deployment call.</exception>
    internal Arg<T> ForTask() => _pending is IPendingCallResult
        ? throw new ArgumentException("The response of a running deployment call cannot be passed to a task. Await it and pass the result.")
        : this;

    async ValueTask<object?> ICallArgument.ResolveBoxedAsync(CancellationToken cancellationToken) => await ResolveAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Waits for the call or reference that was passed for the argument, if any, and returns the value. For handles.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The value.</returns>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public async ValueTask<T> ResolveAsync(CancellationToken cancellationToken) => _pending switch
    {
        IPendingCallResult<T> typed => await typed.AsTask().WaitAsync(cancellationToken).ConfigureAwait(false),
        ObjectRef<T> typed => await typed.Cluster.Get(typed, null, cancellationToken).ConfigureAwait(false),
        ObjectRef reference => (T)(await reference.GetBoxedAsync(cancellationToken).ConfigureAwait(false))!,
        IPendingCallResult response => (T)(await response.ResolveBoxedAsync(cancellationToken).ConfigureAwait(false))!,
        _ => _value,
    };
}
