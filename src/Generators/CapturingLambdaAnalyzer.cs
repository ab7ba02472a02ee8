using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;
using Serve.Generators.Diagnostics;

namespace Serve.Generators;

/// <summary>Finds lambdas that capture variables but must run in a worker process: <c>ray.Run(() => variable, new() { Isolation = Isolation.Process })</c>. Without it the error appears at run time.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class CapturingLambdaAnalyzer : DiagnosticAnalyzer
{
    // The value of Isolation.Process.
    private const int Process = 2;

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = [RemoteDiagnostics.Captures];

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(static start =>
        {
            if (start.Compilation.GetTypeByMetadataName("Serve.ClusterRunExtensions") is { } run)
                start.RegisterOperationAction(each => Check(each, run), OperationKind.Invocation);
        });
    }

    private static void Check(OperationAnalysisContext context, INamedTypeSymbol run)
    {
        var call = (IInvocationOperation)context.Operation;
        if (!SymbolEqualityComparer.Default.Equals(call.TargetMethod.ContainingType, run) || !IsForWorkers(ArgumentOf(call, "options")))
            return;
        if (ArgumentOf(call, "work") is not IDelegateCreationOperation { Target: IAnonymousFunctionOperation lambda })
            return;
        var captured = Captured(lambda).Distinct().ToList();
        if (captured.Count > 0)
            context.ReportDiagnostic(Diagnostic.Create(RemoteDiagnostics.Captures, lambda.Syntax.GetLocation(), string.Join(", ", captured)));
    }

    private static IOperation? ArgumentOf(IInvocationOperation call, string parameter)
    {
        var value = call.Arguments.FirstOrDefault(argument => argument.Parameter?.Name == parameter)?.Value;
        while (value is IConversionOperation conversion)
            value = conversion.Operand;
        return value;
    }

    private static bool IsForWorkers(IOperation? options) => options is IObjectCreationOperation { Initializer: { } initializer }
        && initializer.Initializers.OfType<ISimpleAssignmentOperation>().Any(assignment =>
            assignment.Target is IPropertyReferenceOperation { Property.Name: "Isolation" } && assignment.Value.ConstantValue is { HasValue: true, Value: Process });

    private static IEnumerable<string> Captured(IAnonymousFunctionOperation lambda)
    {
        foreach (var each in lambda.Body.Descendants())
        {
            var variable = each switch
            {
                ILocalReferenceOperation { Local: { IsConst: false, IsStatic: false } local } => local,
                IParameterReferenceOperation parameter => parameter.Parameter,
                _ => (ISymbol?)null,
            };
            if (variable is not null && !IsWithin(variable.ContainingSymbol, lambda.Symbol))
                yield return $"'{variable.Name}'";
            else if (each is IInstanceReferenceOperation { ReferenceKind: InstanceReferenceKind.ContainingTypeInstance })
                yield return "this";
        }
    }

    private static bool IsWithin(ISymbol? symbol, IMethodSymbol lambda)
    {
        for (; symbol is not null; symbol = symbol.ContainingSymbol)
        {
            if (SymbolEqualityComparer.Default.Equals(symbol, lambda))
                return true;
        }

        return false;
    }
}
