using System.Text.Json;

namespace Serve.Runtime;

/// <summary>
/// How the public methods of a class are called by name: each bound once to a compiled delegate. Cancellation tokens are supplied, not
/// passed; optional parameters may be left out; arguments of another type are converted by JSON.
/// </summary>
public sealed partial class MethodTable
{
    /// <summary>The table of a class, made once per class and serializer.</summary>
    /// <param name="type">The class.</param>
    /// <param name="json">How arguments and results are converted. Default <see cref="ServeJson.Calls"/>.</param>
    /// <returns>The table.</returns>
    public static partial MethodTable For(Type type, JsonSerializerOptions? json = null);

    /// <summary>The names of the methods that can be called, sorted.</summary>
    public partial IReadOnlyList<string> Names { get; }
}
