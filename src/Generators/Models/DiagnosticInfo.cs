using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Serve.Generators.Models;

/// <summary>A diagnostic without references to the compilation, so that the pipeline can cache it.</summary>
/// <param name="Rule">The rule's id.</param>
/// <param name="Place">Its location.</param>
/// <param name="Arguments">The arguments of the rule's message.</param>
internal sealed record DiagnosticInfo(string Rule, SourceLocation? Place, EquatableArray<string> Arguments)
{
    public static DiagnosticInfo Of(DiagnosticDescriptor rule, ISymbol symbol, params string[] arguments) => new(rule.Id, SourceLocation.Of(symbol), new([.. arguments]));

    public Diagnostic ToDiagnostic() => Diagnostic.Create(Diagnostics.DeploymentDiagnostics.ById[Rule], Place?.ToLocation(), [.. Arguments]);
}

/// <summary>A location in a source file.</summary>
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
