using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace Serve.Workflows.Generators;

/// <summary>
/// Gives the workflow host a typed starter for each class with <c>[Workflow]</c>, and the workflow context typed steps for each class with <c>[Step]</c> or <c>[Remote]</c> methods; registers
/// both when the assembly is loaded.
/// </summary>
[Generator(LanguageNames.CSharp)]
public sealed class WorkflowGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        var workflows = context.SyntaxProvider.ForAttributeWithMetadataName(
                WorkflowReader.WorkflowAttribute, static (node, _) => node is TypeDeclarationSyntax, static (found, _) => WorkflowReader.ReadWorkflow((INamedTypeSymbol)found.TargetSymbol))
            .Where(static model => model is not null);
        context.RegisterSourceOutput(workflows, static (output, model) =>
        {
            if (model!.Finding is { } finding)
                output.ReportDiagnostic(finding.ToDiagnostic());
            if (model.Run is { } run)
                output.AddSource($"{model.Class.Flat}.Workflow.g.cs", SourceText.From(WorkflowWriter.Write(model, run), Encoding.UTF8));
        });

        var steps = Owners(context, WorkflowReader.StepAttribute).Combine(Owners(context, WorkflowReader.RemoteAttribute))
            .SelectMany(static (pair, _) => pair.Left.Concat(pair.Right).Distinct());
        context.RegisterSourceOutput(steps, static (output, model) =>
        {
            foreach (var finding in model.Findings)
                output.ReportDiagnostic(finding.ToDiagnostic());
            if (model.Steps.Count > 0)
                output.AddSource($"{model.Class.Flat}.Steps.g.cs", SourceText.From(StepWriter.Write(model), Encoding.UTF8));
        });
    }

    /// <summary>Returns the classes that have methods with an attribute.</summary>
    private static IncrementalValueProvider<System.Collections.Immutable.ImmutableArray<StepClassModel>> Owners(IncrementalGeneratorInitializationContext context, string attribute) =>
        context.SyntaxProvider.ForAttributeWithMetadataName(
                attribute, static (node, _) => node is MethodDeclarationSyntax, static (found, _) => found.TargetSymbol.ContainingType is { } type ? WorkflowReader.ReadSteps(type) : null)
            .Where(static model => model is not null)
            .Select(static (model, _) => model!)
            .Collect();
}
