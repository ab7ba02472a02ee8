namespace Serve;

/// <summary>Makes arguments where C# allows no conversion: for parameters of interface types, in a call that also takes un-awaited responses.</summary>
public static class Arg
{
    /// <summary>Passes a value.</summary>
    /// <typeparam name="T">The parameter's type.</typeparam>
    /// <param name="value">The value.</param>
    /// <returns>The argument.</returns>
    public static Arg<T> Of<T>(T value) => Arg<T>.Of(value);
}
