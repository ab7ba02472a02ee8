using Microsoft.CodeAnalysis;
using Serve.Generators.Models;

namespace Serve.Generators.Reading;

/// <summary>Classifies a method's return type and finds its result or item type.</summary>
internal static class MethodReturnReader
{
    public static (MethodReturnShape Shape, ITypeSymbol? Result) Of(IMethodSymbol method)
    {
        if (method.ReturnsVoid)
            return (MethodReturnShape.Nothing, null);
        if (Argument(method.ReturnType, "System.Collections.Generic.IAsyncEnumerable") is { } item)
            return (MethodReturnShape.Stream, item);
        if (method.ReturnType.ToDisplayString() is "System.Threading.Tasks.Task" or "System.Threading.Tasks.ValueTask")
            return (MethodReturnShape.Task, null);
        var awaited = Argument(method.ReturnType, "System.Threading.Tasks.Task") ?? Argument(method.ReturnType, "System.Threading.Tasks.ValueTask");
        if (awaited is null)
            return (MethodReturnShape.Value, method.ReturnType);
        return Argument(awaited, "System.Collections.Generic.IAsyncEnumerable") is { } later
            ? (MethodReturnShape.TaskOfStream, later)
            : (MethodReturnShape.TaskOfValue, awaited);
    }

    private static ITypeSymbol? Argument(ITypeSymbol type, string generic) =>
        type is INamedTypeSymbol { TypeArguments.Length: 1 } named
        && $"{named.ContainingNamespace.ToDisplayString()}.{named.Name}" == generic
            ? named.TypeArguments[0]
            : null;
}
