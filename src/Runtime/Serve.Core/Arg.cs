using System.ComponentModel;

namespace Serve;

/// <summary>Creates call arguments where C# allows no implicit conversion: for parameters of interface types in calls that also take un-awaited responses.</summary>
public static class Arg
{
    /// <summary>Marks an argument with a value, to distinguish it from an omitted one.</summary>
    internal static readonly object Given = new();

    /// <summary>Creates an argument from a value.</summary>
    /// <typeparam name="T">The parameter's type.</typeparam>
    /// <param name="value">The value.</param>
    /// <returns>The argument.</returns>
    public static Arg<T> Of<T>(T value) => Arg<T>.Of(value);

    /// <summary>Creates an argument from the object of a reference. For generated code, which ensures that the types match.</summary>
    /// <typeparam name="T">The parameter's type.</typeparam>
    /// <param name="reference">The reference.</param>
    /// <returns>The argument.</returns>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public static Arg<T> After<T>(ObjectRef reference) => Arg<T>.After(reference);

    /// <summary>Creates an argument from the result of a running call, whose type must match. For handles.</summary>
    /// <typeparam name="T">The parameter's type.</typeparam>
    /// <param name="response">The running call.</param>
    /// <returns>The argument.</returns>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public static Arg<T> After<T>(IPendingCallResult response) => Arg<T>.After(response);

    /// <summary>Checks that an argument can be passed to a task. For generated code.</summary>
    /// <typeparam name="T">The parameter's type.</typeparam>
    /// <param name="argument">The argument.</param>
    /// <returns>The argument.</returns>
    /// <exception cref="ArgumentException">The argument is the response of a running deployment call.</exception>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public static Arg<T> ForTask<T>(Arg<T> argument) => argument.ForTask();

    /// <summary>Checks that an optional argument can be passed to a task. For generated code.</summary>
    /// <typeparam name="T">The parameter's type.</typeparam>
    /// <param name="argument">The argument.</param>
    /// <param name="fallback">The value of an omitted argument.</param>
    /// <returns>The argument, or the fallback.</returns>
    /// <exception cref="ArgumentException">The argument is the response of a running deployment call.</exception>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public static Arg<T> ForTask<T>(Arg<T> argument, T fallback) => argument.IsLeftOut ? Of(fallback) : argument.ForTask();
}
