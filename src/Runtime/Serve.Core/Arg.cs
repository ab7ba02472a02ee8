using System.ComponentModel;

namespace Serve;

/// <summary>Makes arguments where C# allows no conversion: for parameters of interface types, in a call that also takes un-awaited responses.</summary>
public static class Arg
{
    /// <summary>Stands beside a value that was given, which so can be told from a parameter that was left out.</summary>
    internal static readonly object Given = new();

    /// <summary>Passes a value.</summary>
    /// <typeparam name="T">The parameter's type.</typeparam>
    /// <param name="value">The value.</param>
    /// <returns>The argument.</returns>
    public static Arg<T> Of<T>(T value) => Arg<T>.Of(value);

    /// <summary>Passes the object that a ref stands for, once it is there. For generated code, which sees to it that the types fit.</summary>
    /// <typeparam name="T">The parameter's type.</typeparam>
    /// <param name="reference">The ref.</param>
    /// <returns>The argument.</returns>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public static Arg<T> After<T>(ObjectRef reference) => Arg<T>.After(reference);

    /// <summary>Says at once when an argument cannot be one of a task. For generated code.</summary>
    /// <typeparam name="T">The parameter's type.</typeparam>
    /// <param name="argument">The argument.</param>
    /// <returns>The same.</returns>
    /// <exception cref="ArgumentException">It is a running call of a deployment.</exception>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public static Arg<T> ForTask<T>(Arg<T> argument) => argument.ForTask();

    /// <summary>The same for a parameter that may be left out. For generated code.</summary>
    /// <typeparam name="T">The parameter's type.</typeparam>
    /// <param name="argument">The argument.</param>
    /// <param name="fallback">What it is when it was left out.</param>
    /// <returns>The argument, or the fallback.</returns>
    /// <exception cref="ArgumentException">It is a running call of a deployment.</exception>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public static Arg<T> ForTask<T>(Arg<T> argument, T fallback) => argument.IsLeftOut ? Of(fallback) : argument.ForTask();
}
