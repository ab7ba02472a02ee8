using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Serve.Generators.Models;

/// <summary>A place in a source file.</summary>
/// <param name="File">The file's path.</param>
/// <param name="Span">The characters.</param>
/// <param name="Lines">The same as lines and columns.</param>
internal sealed record SourceLocation(string File, TextSpan Span, LinePositionSpan Lines)
{
    public static SourceLocation? Of(ISymbol symbol) => symbol.Locations.FirstOrDefault(location => location.IsInSource) is { } location
        ? new SourceLocation(location.SourceTree!.FilePath, location.SourceSpan, location.GetLineSpan().Span)
        : null;

    public Location ToLocation() => Location.Create(File, Span, Lines);
}
