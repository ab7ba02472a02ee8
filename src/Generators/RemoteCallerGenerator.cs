using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;
using Serve.Generators.Diagnostics;
using Serve.Generators.Emit;
using Serve.Generators.Models;
using Serve.Generators.Reading;

namespace Serve.Generators;

/// <summary>
/// Gives <c>Cluster</c> a member for each class with <c>[Remote]</c> on it or on its methods, so that <c>ray.Demo.Aggregate.Remote(x, y)</c> and
/// <c>ray.Counter.Remote()</c> are checked by the compiler and need no reflection; and <c>ActorHandle&lt;Counter&gt;</c> one for each method.
/// </summary>
[Generator(LanguageNames.CSharp)]
public sealed class RemoteCallerGenerator : IIncrementalGenerator
{
    /// <summary>The name of the step that reads classes; tests check its caching.</summary>
    public const string ReadStep = "Remotes";

    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        var classes = context.SyntaxProvider
            .ForAttributeWithMetadataName(
                "Serve.RemoteAttribute",
                static (node, _) => node is TypeDeclarationSyntax or MethodDeclarationSyntax or LocalFunctionStatementSyntax,
                static (found, stop) => RemoteClassReader.Read(found.TargetSymbol, found.SemanticModel.Compilation, stop))
            .Where(static model => model is not null)
            .Select(static (model, _) => model!)
            .WithTrackingName(ReadStep);
        var hasExtensions = context.ParseOptionsProvider
            .Select(static (options, _) => options is CSharpParseOptions { LanguageVersion: >= DeploymentHandleGenerator.CSharp14 });

        context.RegisterSourceOutput(classes, static (output, model) =>
        {
            foreach (var finding in model.Findings)
                output.ReportDiagnostic(finding.ToDiagnostic());
        });
        context.RegisterSourceOutput(classes.Combine(hasExtensions), static (output, pair) =>
        {
            if (pair.Left.HasMembers && pair.Right)
                output.AddSource($"{pair.Left.Flat}.Remote.g.cs", SourceText.From(RemoteClassWriter.Write(pair.Left), Encoding.UTF8));
        });
        context.RegisterSourceOutput(classes.Collect().Combine(hasExtensions), static (output, pair) =>
        {
            if (!pair.Right && pair.Left.Any(model => model.HasMembers))
                output.ReportDiagnostic(Diagnostic.Create(RemoteDiagnostics.OldLanguage, null));
            foreach (var same in pair.Left.Where(model => model.HasMembers).GroupBy(model => (model.Namespace, model.Name)))
            {
                foreach (var other in same.Skip(1))
                    output.ReportDiagnostic(Diagnostic.Create(RemoteDiagnostics.Twice, other.Place?.ToLocation(), Plain(same.First()), Plain(other), other.Name));
            }
        });
    }

    private static string Plain(RemoteClassModel model) => model.Type.Replace("global::", "");
}
