using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;
using Serve.Generators;
using Serve.Generators.Models;

namespace Serve.Workflows.Generators;

/// <summary>A workflow class. Text only, so that equal sources give equal models.</summary>
/// <param name="Class">The class.</param>
/// <param name="StoredName">The name under which its workflows are stored, as a C# literal.</param>
/// <param name="Version">Its version.</param>
/// <param name="Run">Its method <c>Run</c>; null if the class is invalid.</param>
/// <param name="Finding">Why the class is invalid; null if it is valid.</param>
internal sealed record WorkflowModel(ClassModel Class, string StoredName, int Version, CallableMethodModel? Run, StepFinding? Finding);

/// <summary>A class with steps or remote functions.</summary>
/// <param name="Class">The class.</param>
/// <param name="Steps">Its steps and remote functions.</param>
/// <param name="Findings">Why methods are invalid.</param>
internal sealed record StepClassModel(ClassModel Class, EquatableArray<StepModel> Steps, EquatableArray<StepFinding> Findings);

/// <summary>A step or remote function.</summary>
/// <param name="Method">The method.</param>
/// <param name="IsStep">Whether it has <c>[Step]</c>; otherwise <c>[Remote]</c>.</param>
/// <param name="IsPublic">Whether other assemblies can access it.</param>
/// <param name="Remote">The attribute of the remote function, as the expression that creates it.</param>
/// <param name="Options">The step's options, as the expression that creates them.</param>
internal sealed record StepModel(CallableMethodModel Method, bool IsStep, bool IsPublic, string Remote, string Options)
{
    private const string Continuation = "global::Serve.Workflows.Workflow<";

    /// <summary>The declared result type.</summary>
    public string Declared => Method.Result ?? "object?";

    /// <summary>The type of the final result: that of the continuation, if the function returns one.</summary>
    public string Result => Declared.StartsWith(Continuation, StringComparison.Ordinal) ? Declared.Substring(Continuation.Length).TrimEnd('?').TrimEnd('>') is var inner && Balanced(inner) ? inner : inner + ">" : Declared;

    private static bool Balanced(string type) => type.Count(letter => letter == '<') == type.Count(letter => letter == '>');
}

/// <summary>A class that generated code names.</summary>
/// <param name="Type">The class, fully qualified.</param>
/// <param name="Name">Its name.</param>
/// <param name="Flat">Its full name as a single identifier.</param>
/// <param name="Namespace">Its namespace; null for the global one.</param>
/// <param name="IsPublic">Whether the generated classes can be public.</param>
internal sealed record ClassModel(string Type, string Name, string Flat, string? Namespace, bool IsPublic)
{
    public string Visibility => IsPublic ? "public" : "internal";
}

/// <summary>Why a class or method is invalid.</summary>
/// <param name="IsStep">Whether a step is invalid, rather than a workflow.</param>
/// <param name="Name">Its name.</param>
/// <param name="Reason">The reason.</param>
/// <param name="File">The source file.</param>
/// <param name="Span">The characters.</param>
/// <param name="Lines">The same as lines and columns.</param>
internal sealed record StepFinding(bool IsStep, string Name, string Reason, string File, TextSpan Span, LinePositionSpan Lines)
{
    public static StepFinding Of(ISymbol symbol, bool isStep, string name, string reason)
    {
        var place = symbol.Locations.First(location => location.IsInSource);
        return new(isStep, name, reason, place.SourceTree!.FilePath, place.SourceSpan, place.GetLineSpan().Span);
    }

    public Diagnostic ToDiagnostic() =>
        Diagnostic.Create(IsStep ? WorkflowDiagnostics.InvalidStep : WorkflowDiagnostics.InvalidWorkflow, Location.Create(File, Span, Lines), Name, Reason);
}
