using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;
using Serve.Generators.Diagnostics;
using Serve.Generators.Emit;
using Serve.Generators.Reading;

namespace Serve.Generators;

/// <summary>
/// Gives <c>DeploymentHandle&lt;T&gt;</c> a member for each public method of each class with <c>[Deployment]</c>, so that
/// <c>calculator.Square.Remote(3)</c> is checked by the compiler and needs no reflection.
/// </summary>
[Generator(LanguageNames.CSharp)]
public sealed class DeploymentHandleGenerator : IIncrementalGenerator
{
    /// <summary>The name of the step that reads classes; tests check its caching.</summary>
    public const string ReadStep = "Deployments";

    // Roslyn 4.14, the compile-time version, does not define it.
    internal const LanguageVersion CSharp14 = (LanguageVersion)1400;

    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        var deployments = context.SyntaxProvider
            .ForAttributeWithMetadataName(
                "Serve.DeploymentAttribute",
                static (node, _) => node is TypeDeclarationSyntax,
                static (found, stop) => DeploymentSymbolReader.Read((INamedTypeSymbol)found.TargetSymbol, stop))
            .WithTrackingName(ReadStep);
        var hasExtensions = context.ParseOptionsProvider
            .Select(static (options, _) => options is CSharpParseOptions { LanguageVersion: >= CSharp14 });

        context.RegisterSourceOutput(deployments, static (output, deployment) =>
        {
            foreach (var finding in deployment.Findings)
                output.ReportDiagnostic(finding.ToDiagnostic());
        });
        context.RegisterSourceOutput(deployments.Combine(hasExtensions), static (output, pair) =>
        {
            if (pair.Left.Methods.Count == 0)
                return;
            if (pair.Right)
                output.AddSource($"{pair.Left.Holder}.g.cs", SourceText.From(DeploymentHandleWriter.Write(pair.Left), Encoding.UTF8));
        });
        context.RegisterSourceOutput(deployments.Collect().Combine(hasExtensions), static (output, pair) =>
        {
            if (!pair.Right && pair.Left.Any(deployment => deployment.Methods.Count > 0))
                output.ReportDiagnostic(Diagnostic.Create(DeploymentDiagnostics.OldLanguage, null));
        });
    }
}
