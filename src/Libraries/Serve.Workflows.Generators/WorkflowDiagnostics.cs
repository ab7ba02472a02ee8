using Microsoft.CodeAnalysis;

namespace Serve.Workflows.Generators;

/// <summary>Diagnostics of workflows and steps.</summary>
internal static class WorkflowDiagnostics
{
    public static readonly DiagnosticDescriptor Clock = Rule(
        "SWF001", "Time, ids and random numbers in workflow code", "'{0}' is different in each replay of the workflow; use {1}, or move the call to a step");

    public static readonly DiagnosticDescriptor ForeignTask = Rule(
        "SWF002", "Foreign task or thread in workflow code", "'{0}' leaves the context of the workflow, which is then blocked at run time; use {1}");

    public static readonly DiagnosticDescriptor InputOutput = Rule(
        "SWF003", "Input or output in workflow code", "'{0}' is repeated in each replay of the workflow; move the call to a step");

    public static readonly DiagnosticDescriptor StaticState = Rule(
        "SWF004", "Mutable static state in workflow code", "'{0}' is shared by all workflows and is lost at a restart; use a field of the workflow");

    public static readonly DiagnosticDescriptor NotAwaited = Rule(
        "SWF005", "Step is not awaited", "'{0}' is not awaited: the workflow may end before it, and its exception is lost; await it, or keep the task and await it later");

    public static readonly DiagnosticDescriptor NotStorable = Rule(
        "SWF006", "Value cannot be stored", "'{0}' {1} '{2}', which cannot be stored as JSON; use data instead");

    public static readonly DiagnosticDescriptor ActorHandle = Rule(
        "SWF007", "Actor handle cannot be stored", "'{0}' {1} '{2}': an actor ends with its cluster, so its handle cannot be stored; pass the actor's name and get the actor in the step");

    public static readonly DiagnosticDescriptor InvalidWorkflow = Rule("SWF010", "Invalid workflow class", "Workflow '{0}' {1}", DiagnosticSeverity.Error);

    public static readonly DiagnosticDescriptor InvalidStep = Rule("SWF011", "Invalid step", "Step '{0}' {1}", DiagnosticSeverity.Error);

    private static DiagnosticDescriptor Rule(string id, string title, string message, DiagnosticSeverity severity = DiagnosticSeverity.Warning) =>
        new(id, title, message, "Serve.Workflows", severity, isEnabledByDefault: true);
}
