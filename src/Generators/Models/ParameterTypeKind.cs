namespace Serve.Generators.Models;

/// <summary>Which other types a parameter's type may be given, as far as refs are concerned.</summary>
internal enum ParameterTypeKind
{
    /// <summary>No other: a struct, a sealed class, an array.</summary>
    Exact,

    /// <summary>A class that others may derive from.</summary>
    Derived,

    /// <summary>An interface, from and to which C# allows no conversions of one's own.</summary>
    Interface,

    /// <summary><c>object</c> or <c>dynamic</c>: a ref hides behind it.</summary>
    Anything,
}
