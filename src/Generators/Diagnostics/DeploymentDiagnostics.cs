using Microsoft.CodeAnalysis;

namespace Serve.Generators.Diagnostics;

/// <summary>What the generator finds wrong while the user types. The same mistakes are found again when an assembly is deployed.</summary>
internal static class DeploymentDiagnostics
{
    public static readonly DiagnosticDescriptor NoInstance = Rule(
        "SERVE001", "A deployment is a class of which an instance can be made", "'{0}' is {1}: no instance of it can be made, so it cannot be a deployment");

    public static readonly DiagnosticDescriptor Constructors = Rule(
        "SERVE002", "A deployment has one public constructor", "'{0}' has {1} public constructors; a deployment has one, so that it is clear what is injected");

    public static readonly DiagnosticDescriptor Overloaded = Rule(
        "SERVE003", "A deployment's methods have names of their own", "'{0}.{1}' is overloaded: two methods of one name cannot be told apart by name; rename one, or make it internal");

    public static readonly DiagnosticDescriptor NotCallable = Rule(
        "SERVE004", "A deployment's methods can be called with values alone", "'{0}.{1}' {2}: it cannot be called through a handle; make it internal");

    public static readonly DiagnosticDescriptor NameTaken = Rule(
        "SERVE005", "A method named like a member of the handle is called by name",
        "'{0}.{1}' has the name of a member of DeploymentHandle<{0}>; call it by name: handle.ToDeploymentHandle().Method(\"{1}\")", DiagnosticSeverity.Warning);

    public static readonly DiagnosticDescriptor NotVisible = Rule(
        "SERVE006", "A class that other code cannot see gets no typed handle",
        "'{0}' is {1}, so no typed handle can be generated for it; make it internal or public", DiagnosticSeverity.Info);

    public static readonly DiagnosticDescriptor OldLanguage = Rule(
        "SERVE007", "Typed handles need C# 14",
        "Typed handles need C# 14: remove LangVersion from the project or set it to 14; until then call by name: handle.ToDeploymentHandle().Method(name)", DiagnosticSeverity.Warning);

    public static readonly DiagnosticDescriptor BatchShape = Rule(
        "SERVE008", "A batched method takes lists and returns one with as many results",
        "'{0}.{1}' has [Batch] and {2}: it takes one list per argument of its callers and returns an array or a list with a result for each item, or a task of one; to stream, IAsyncEnumerable<BatchResult<T>[]>");

    public static readonly DiagnosticDescriptor BatchSettings = Rule(
        "SERVE009", "The settings of a batched method can be followed", "[Batch] of '{0}.{1}': {2}");

    public static readonly IReadOnlyDictionary<string, DiagnosticDescriptor> ById =
        new[] { NoInstance, Constructors, Overloaded, NotCallable, NameTaken, NotVisible, OldLanguage, BatchShape, BatchSettings }
            .Concat(RemoteDiagnostics.All)
            .Concat(MultiplexedDiagnostics.All)
            .ToDictionary(rule => rule.Id);

    internal static DiagnosticDescriptor Rule(string id, string title, string message, DiagnosticSeverity severity = DiagnosticSeverity.Error) =>
        new(id, title, message, "Serve", severity, isEnabledByDefault: true);
}
