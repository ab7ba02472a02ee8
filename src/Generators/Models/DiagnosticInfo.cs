using Microsoft.CodeAnalysis;

namespace Serve.Generators.Models;

/// <summary>Something wrong with a deployment, a remote function or an actor, kept without any of the compilation's own objects.</summary>
/// <param name="Rule">The rule's id.</param>
/// <param name="Place">Where.</param>
/// <param name="Arguments">What the rule's message is filled with.</param>
internal sealed record DiagnosticInfo(string Rule, SourceLocation? Place, EquatableArray<string> Arguments)
{
    public static DiagnosticInfo Of(DiagnosticDescriptor rule, ISymbol symbol, params string[] arguments) => new(rule.Id, Models.SourceLocation.Of(symbol), new([.. arguments]));

    public Diagnostic ToDiagnostic() => Diagnostic.Create(Diagnostics.DeploymentDiagnostics.ById[Rule], Place?.ToLocation(), [.. Arguments]);
}
