using Microsoft.CodeAnalysis;
using static Serve.Generators.Diagnostics.DeploymentDiagnostics;

namespace Serve.Generators.Diagnostics;

/// <summary>Diagnostics of methods and classes with <c>[Remote]</c>.</summary>
internal static class RemoteDiagnostics
{
    public static readonly DiagnosticDescriptor NotStatic = Rule(
        "SERVE010", "Remote function must be static",
        "'{0}.{1}' is not static, but a task has no instance; make it static, or put [Remote] on the class to make it an actor");

    public static readonly DiagnosticDescriptor NotCallable = Rule("SERVE011", "Method cannot be called remotely", "'{0}.{1}' {2} and cannot be called remotely");

    public static readonly DiagnosticDescriptor Overloaded = Rule(
        "SERVE012", "Remote method is overloaded", "'{0}.{1}' is overloaded, but workers find methods by name; rename one overload");

    public static readonly DiagnosticDescriptor NotVisible = Rule(
        "SERVE013", "Remote function or actor is inaccessible", "'{0}' is {1}, so no caller can be generated for it; make it internal or public");

    public static readonly DiagnosticDescriptor NoInstance = Rule("SERVE014", "Actor class cannot be instantiated", "'{0}' is {1} and cannot be an actor{2}");

    public static readonly DiagnosticDescriptor Constructors = Rule(
        "SERVE015", "Actor must have exactly one public constructor", "'{0}' has {1} public constructors; an actor must have exactly one");

    public static readonly DiagnosticDescriptor NameTaken = Rule(
        "SERVE016", "Name conflicts with an existing member", "'{0}' has the same name as {1}, which takes precedence, and cannot be called remotely; rename it");

    public static readonly DiagnosticDescriptor Code = Rule(
        "SERVE017", "Code cannot be sent to a worker process",
        "'{0}.{1}' takes {2} '{3}', which works in this process only, because code cannot be sent to a worker process; pass data instead", DiagnosticSeverity.Warning);

    public static readonly DiagnosticDescriptor Running = Rule(
        "SERVE018", "Parameter type cannot be sent to another process",
        "'{0}.{1}' takes {2} '{3}', which cannot be sent to another process; declare the type of its result: an ObjectRef can be passed for it, and the call waits until that is ready", DiagnosticSeverity.Warning);

    public static readonly DiagnosticDescriptor Amounts = Rule("SERVE019", "Invalid list of resources or concurrency groups", "{0} \"{1}\" is invalid: {2}");

    public static readonly DiagnosticDescriptor OldLanguage = Rule(
        "SERVE020", "Typed callers of remote functions and actors require C# 14",
        "Typed callers of remote functions and actors require C# 14: remove LangVersion from the project or set it to 14", DiagnosticSeverity.Warning);

    public static readonly DiagnosticDescriptor Twice = Rule(
        "SERVE021", "Duplicate remote class name in a namespace", "'{0}' and '{1}' would both become 'ray.{2}' in the same namespace; rename one of them");

    public static readonly DiagnosticDescriptor Captures = Rule(
        "SERVE022", "Lambda with captured variables cannot run in a worker process",
        "The lambda captures {0} and cannot run in a worker process; pass its inputs as arguments: ray.Run(static x => …, x)", DiagnosticSeverity.Warning);

    public static readonly DiagnosticDescriptor OfDeployments = Rule(
        "SERVE023", "Attribute has no effect on remote functions and actors",
        "'{0}.{1}' has [{2}], which applies to deployments only and has no effect here; remove it, or make the class a [Deployment]");

    public static readonly DiagnosticDescriptor NeverSent = Rule(
        "SERVE024", "Type cannot be sent to a worker process",
        "'{0}.{1}' {2} {3}, which belongs to its process and cannot be sent to a worker process; pass the information to create it there", DiagnosticSeverity.Warning);

    public static readonly DiagnosticDescriptor FieldNeverSent = AtEnd(
        "SERVE025", "Field cannot be sent to a worker process",
        "'{0}.{1}' is of type {2}, which cannot be sent to a worker process with its object; mark the field [NonSerialized] and restore it in an [OnDeserialized] method", DiagnosticSeverity.Warning);

    public static readonly DiagnosticDescriptor Finalizer = AtEnd(
        "SERVE026", "Class with a finalizer cannot be sent to a worker process",
        "'{0}' has a finalizer, which means that it owns something of its process; it cannot be sent to a worker process", DiagnosticSeverity.Info);

    public static readonly DiagnosticDescriptor StoredHashCode = AtEnd(
        "SERVE027", "Stored hash code differs in another process",
        "'{0}.{1}' stores a hash code, which is different in a worker process; mark the field [NonSerialized] and compute it again", DiagnosticSeverity.Warning);

    public static readonly IReadOnlyList<DiagnosticDescriptor> All =
        [NotStatic, NotCallable, Overloaded, NotVisible, NoInstance, Constructors, NameTaken, Code, Running, Amounts, OldLanguage, Twice, Captures, OfDeployments, NeverSent, FieldNeverSent, Finalizer, StoredHashCode];

    // Reported when all methods have been analyzed.
    private static DiagnosticDescriptor AtEnd(string id, string title, string message, DiagnosticSeverity severity) =>
        new(id, title, message, "Serve", severity, isEnabledByDefault: true, customTags: [WellKnownDiagnosticTags.CompilationEnd]);
}
