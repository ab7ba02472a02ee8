using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Serve.Workflows.Generators;

/// <summary>
/// Finds code in classes with <c>[Workflow]</c> that is different in each replay, leaves the workflow's context, or has effects outside of steps; and types of inputs and results that cannot be
/// stored. Bodies of steps are exempt.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class WorkflowCodeAnalyzer : DiagnosticAnalyzer
{
    private const string Context = "Serve.Workflows.WorkflowContext";

    private static readonly Dictionary<string, string> Clocks = new()
    {
        ["System.DateTime.Now"] = "ctx.Now",
        ["System.DateTime.UtcNow"] = "ctx.Now",
        ["System.DateTime.Today"] = "ctx.Now",
        ["System.DateTimeOffset.Now"] = "ctx.Now",
        ["System.DateTimeOffset.UtcNow"] = "ctx.Now",
        ["System.Environment.TickCount"] = "ctx.Now",
        ["System.Environment.TickCount64"] = "ctx.Now",
        ["System.Diagnostics.Stopwatch.GetTimestamp"] = "ctx.Now",
        ["System.Diagnostics.Stopwatch.StartNew"] = "ctx.Now",
        ["System.TimeProvider.GetUtcNow"] = "ctx.Now",
        ["System.TimeProvider.GetLocalNow"] = "ctx.Now",
        ["System.Guid.NewGuid"] = "ctx.NewGuid()",
        ["System.Guid.CreateVersion7"] = "ctx.NewGuid()",
        ["System.Random.Shared"] = "ctx.Random",
    };

    private static readonly Dictionary<string, string> ForeignTasks = new()
    {
        ["System.Threading.Tasks.Task.Delay"] = "ctx.Sleep",
        ["System.Threading.Tasks.Task.Run"] = "a step",
        ["System.Threading.Tasks.Task.Yield"] = "nothing: workflow code needs no yield",
        ["System.Threading.Tasks.TaskFactory.StartNew"] = "a step",
        ["System.Threading.Tasks.Task.Wait"] = "await",
        ["System.Threading.Tasks.Task.WaitAll"] = "await Task.WhenAll",
        ["System.Threading.Tasks.Task.WaitAny"] = "await Task.WhenAny",
        ["System.Threading.Tasks.Task.ConfigureAwait"] = "await without ConfigureAwait",
        ["System.Threading.Thread.Sleep"] = "ctx.Sleep",
        ["System.Threading.Thread.Start"] = "a step",
        ["System.Threading.Tasks.Parallel.For"] = "a step",
        ["System.Threading.Tasks.Parallel.ForEach"] = "a step",
        ["System.Threading.Tasks.Parallel.ForEachAsync"] = "a step",
        ["System.Threading.ThreadPool.QueueUserWorkItem"] = "a step",
    };

    private static readonly HashSet<string> InputOutputTypes =
    [
        "System.IO.File", "System.IO.Directory", "System.IO.FileStream", "System.IO.StreamReader", "System.IO.StreamWriter", "System.Net.Http.HttpClient", "System.Net.Sockets.Socket",
        "System.Net.Sockets.TcpClient", "System.Diagnostics.Process", "System.Console",
    ];

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } =
    [
        WorkflowDiagnostics.Clock, WorkflowDiagnostics.ForeignTask, WorkflowDiagnostics.InputOutput, WorkflowDiagnostics.StaticState, WorkflowDiagnostics.NotAwaited,
        WorkflowDiagnostics.NotStorable, WorkflowDiagnostics.ActorHandle,
    ];

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(static start =>
        {
            if (start.Compilation.GetTypeByMetadataName(Context) is null)
                return;
            start.RegisterOperationAction(
                CheckOperation, OperationKind.Invocation, OperationKind.PropertyReference, OperationKind.ObjectCreation, OperationKind.FieldReference, OperationKind.ExpressionStatement);
            start.RegisterSymbolAction(CheckMethod, SymbolKind.Method);
        });
    }

    private static void CheckOperation(OperationAnalysisContext context)
    {
        if (!IsWorkflowCode(context))
            return;
        switch (context.Operation)
        {
            case IInvocationOperation call:
                CheckMember(context, call.TargetMethod);
                break;
            case IPropertyReferenceOperation property:
                CheckMember(context, property.Property);
                break;
            case IObjectCreationOperation { Type: INamedTypeSymbol type } creation:
                CheckCreation(context, type, creation);
                break;
            case IFieldReferenceOperation { Field: { IsStatic: true, IsConst: false, IsReadOnly: false } field }:
                Report(context, WorkflowDiagnostics.StaticState, field.ToDisplayString(SymbolDisplayFormat.CSharpShortErrorMessageFormat));
                break;
            case IExpressionStatementOperation { Operation: IInvocationOperation { Type: INamedTypeSymbol { Name: "Task" } } ignored } when IsOfContext(ignored):
                Report(context, WorkflowDiagnostics.NotAwaited, ignored.TargetMethod.Name);
                break;
        }
    }

    private static void CheckMember(OperationAnalysisContext context, ISymbol member)
    {
        var type = member.ContainingType?.OriginalDefinition.ToDisplayString() ?? "";
        if (type == "System.Threading.Tasks.Task<TResult>")
            type = "System.Threading.Tasks.Task";
        var name = $"{type}.{member.Name}";
        var shown = $"{member.ContainingType?.Name}.{member.Name}";
        if (Clocks.TryGetValue(name, out var clock))
            Report(context, WorkflowDiagnostics.Clock, shown, clock);
        else if (ForeignTasks.TryGetValue(name, out var instead))
            Report(context, WorkflowDiagnostics.ForeignTask, shown, instead);
        else if (InputOutputTypes.Contains(type))
            Report(context, WorkflowDiagnostics.InputOutput, shown);
    }

    private static void CheckCreation(OperationAnalysisContext context, INamedTypeSymbol type, IObjectCreationOperation creation)
    {
        var name = type.ToDisplayString();
        if (name == "System.Random" && creation.Arguments.IsEmpty)
            Report(context, WorkflowDiagnostics.Clock, "new Random()", "ctx.Random");
        else if (name is "System.Threading.Thread" or "System.Threading.Timer")
            Report(context, WorkflowDiagnostics.ForeignTask, $"new {type.Name}", "a step or ctx.Sleep");
        else if (InputOutputTypes.Contains(name))
            Report(context, WorkflowDiagnostics.InputOutput, $"new {type.Name}");
    }

    private static void CheckMethod(SymbolAnalysisContext context)
    {
        var method = (IMethodSymbol)context.Symbol;
        var isRun = method.Name == "Run" && WorkflowReader.AttributeOf(method.ContainingType, WorkflowReader.WorkflowAttribute) is not null;
        if (!isRun && WorkflowReader.AttributeOf(method, WorkflowReader.StepAttribute) is null)
            return;
        var owner = $"{method.ContainingType.Name}.{method.Name}";
        foreach (var parameter in method.Parameters)
        {
            if (parameter.Type.ToDisplayString() is not (Context or "Serve.Workflows.StepContext" or "System.Threading.CancellationToken" or "Serve.Cluster"))
                CheckType(context, parameter.Type, parameter, owner, "takes");
        }

        var result = method.ReturnType is INamedTypeSymbol { Name: "Task" or "ValueTask" } task ? task.TypeArguments.FirstOrDefault() : method.ReturnType;
        if (result is not null)
            CheckType(context, result, method, owner, "returns");
    }

    private static void CheckType(SymbolAnalysisContext context, ITypeSymbol type, ISymbol place, string owner, string verb)
    {
        var rule = type.Name == "ActorHandle" && type.ContainingNamespace.ToDisplayString() == "Serve" ? WorkflowDiagnostics.ActorHandle
            : type.TypeKind is TypeKind.Delegate or TypeKind.Pointer || InheritsFrom(type, "System.IO.Stream") || InheritsFrom(type, "System.Threading.Tasks.Task") || type.Name == "CancellationToken"
                ? WorkflowDiagnostics.NotStorable
            : null;
        if (rule is not null)
            context.ReportDiagnostic(Diagnostic.Create(rule, place.Locations[0], owner, verb, type.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat)));
    }

    private static bool InheritsFrom(ITypeSymbol type, string name)
    {
        for (ITypeSymbol? each = type; each is not null; each = each.BaseType)
        {
            if (each.ToDisplayString() == name)
                return true;
        }

        return false;
    }

    /// <summary>Whether the operation is in a class with <c>[Workflow]</c> and not in a lambda that is the body of a step.</summary>
    private static bool IsWorkflowCode(OperationAnalysisContext context)
    {
        var type = context.ContainingSymbol.ContainingType;
        if (type is null || WorkflowReader.AttributeOf(type, WorkflowReader.WorkflowAttribute) is null || context.ContainingSymbol.IsStatic)
            return false;
        for (var each = context.Operation; each is not null; each = each.Parent)
        {
            if (each is IAnonymousFunctionOperation && IsStepBody(each))
                return false;
        }

        return true;
    }

    private static bool IsStepBody(IOperation lambda)
    {
        for (var each = lambda.Parent; each is not null; each = each.Parent)
        {
            if (each is IArgumentOperation { Parent: IInvocationOperation call })
                return call.TargetMethod.Name is "Step" or "TryStep" && call.TargetMethod.ContainingType.ToDisplayString() == Context;
            if (each is not (IDelegateCreationOperation or IConversionOperation or IArgumentOperation))
                return false;
        }

        return false;
    }

    /// <summary>Whether a call is one of the context's, or of a generated step or child workflow.</summary>
    private static bool IsOfContext(IInvocationOperation call) =>
        call.TargetMethod.ContainingType.ToDisplayString() == Context
        || (call.TargetMethod.Name is "Run" or "TryRun" && call.TargetMethod.ContainingType.ContainingType is { } holder
            && (holder.Name.EndsWith("_Workflow", StringComparison.Ordinal) || holder.Name.EndsWith("_Starter", StringComparison.Ordinal)));

    private static void Report(OperationAnalysisContext context, DiagnosticDescriptor rule, params object[] arguments) =>
        context.ReportDiagnostic(Diagnostic.Create(rule, context.Operation.Syntax.GetLocation(), arguments));
}
