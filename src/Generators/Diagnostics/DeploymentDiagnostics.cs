using Microsoft.CodeAnalysis;

namespace Serve.Generators.Diagnostics;

/// <summary>Diagnostics of classes with <c>[Deployment]</c>. The same mistakes are reported again when an assembly is deployed.</summary>
internal static class DeploymentDiagnostics
{
    public static readonly DiagnosticDescriptor NoInstance = Rule(
        "SERVE001", "Deployment class cannot be instantiated", "'{0}' is {1}; a deployment must be a class that can be instantiated");

    public static readonly DiagnosticDescriptor Constructors = Rule(
        "SERVE002", "Deployment must have exactly one public constructor",
        "'{0}' has {1} public constructors; a deployment must have exactly one, which receives the injected services");

    public static readonly DiagnosticDescriptor Overloaded = Rule(
        "SERVE003", "Deployment method is overloaded", "'{0}.{1}' is overloaded, but methods are called by name; rename one overload or make it internal");

    public static readonly DiagnosticDescriptor NotCallable = Rule(
        "SERVE004", "Deployment method cannot be called through a handle", "'{0}.{1}' {2} and cannot be called through a handle; make it internal");

    public static readonly DiagnosticDescriptor NameTaken = Rule(
        "SERVE005", "Method name conflicts with a member of the handle",
        "'{0}.{1}' has the same name as a member of DeploymentHandle<{0}>; call it by name: handle.ToDeploymentHandle().Method(\"{1}\")", DiagnosticSeverity.Warning);

    public static readonly DiagnosticDescriptor NotVisible = Rule(
        "SERVE006", "No typed handle for an inaccessible class",
        "'{0}' is {1}, so no typed handle is generated for it; make it internal or public", DiagnosticSeverity.Info);

    public static readonly DiagnosticDescriptor OldLanguage = Rule(
        "SERVE007", "Typed handles require C# 14",
        "Typed handles require C# 14: remove LangVersion from the project or set it to 14; until then call by name: handle.ToDeploymentHandle().Method(name)", DiagnosticSeverity.Warning);

    public static readonly DiagnosticDescriptor BatchShape = Rule(
        "SERVE008", "Invalid signature of a [Batch] method",
        "'{0}.{1}' has [Batch] and {2}; it must take one list per argument of its callers and return an array or list with one result per item, a task of one, or IAsyncEnumerable<BatchResult<T>[]> to stream");

    public static readonly DiagnosticDescriptor BatchSettings = Rule("SERVE009", "Invalid [Batch] settings", "[Batch] of '{0}.{1}': {2}");

    public static readonly IReadOnlyDictionary<string, DiagnosticDescriptor> ById =
        new[] { NoInstance, Constructors, Overloaded, NotCallable, NameTaken, NotVisible, OldLanguage, BatchShape, BatchSettings }
            .Concat(RemoteDiagnostics.All)
            .Concat(MultiplexedDiagnostics.All)
            .ToDictionary(rule => rule.Id);

    internal static DiagnosticDescriptor Rule(string id, string title, string message, DiagnosticSeverity severity = DiagnosticSeverity.Error) =>
        new(id, title, message, "Serve", severity, isEnabledByDefault: true);
}
