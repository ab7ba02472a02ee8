using Microsoft.CodeAnalysis;
using static Serve.Generators.Diagnostics.DeploymentDiagnostics;

namespace Serve.Generators.Diagnostics;

/// <summary>What can be wrong with <c>[Remote]</c>, on a method or on a class.</summary>
internal static class RemoteDiagnostics
{
    public static readonly DiagnosticDescriptor NotStatic = Rule(
        "SERVE010", "A remote function is a static method",
        "'{0}.{1}' is not static: no instance goes with a task; make it static, or put [Remote] on the class, which makes it an actor");

    public static readonly DiagnosticDescriptor NotCallable = Rule(
        "SERVE011", "A remote function can be called with values alone", "'{0}.{1}' {2}: it cannot be called remotely");

    public static readonly DiagnosticDescriptor Overloaded = Rule(
        "SERVE012", "Remote functions and methods of actors have names of their own",
        "'{0}.{1}' is overloaded: a worker finds it by its name; rename one of them");

    public static readonly DiagnosticDescriptor NotVisible = Rule(
        "SERVE013", "What is called remotely can be seen by other code", "'{0}' is {1}, so nothing can be generated that calls it; make it internal or public");

    public static readonly DiagnosticDescriptor NoInstance = Rule(
        "SERVE014", "An actor is a class of which an instance can be made", "'{0}' is {1}, so it cannot be an actor{2}");

    public static readonly DiagnosticDescriptor Constructors = Rule(
        "SERVE015", "An actor has one public constructor", "'{0}' has {1} public constructors; an actor has one, so that it is clear which is called");

    public static readonly DiagnosticDescriptor NameTaken = Rule(
        "SERVE016", "What is called remotely has a name of its own", "'{0}' has the name of {1}, which comes first, so it cannot be called remotely; rename it");

    public static readonly DiagnosticDescriptor Code = Rule(
        "SERVE017", "Code does not travel to a worker process",
        "'{0}.{1}' takes {2} '{3}': that works in this process only, since code does not travel to a worker; pass what it needs to know as data", DiagnosticSeverity.Warning);

    public static readonly DiagnosticDescriptor Running = Rule(
        "SERVE018", "A ref stands for a value that is not there yet",
        "'{0}.{1}' takes {2} '{3}', which cannot travel; take the value itself: a ref may stand for it, and the call waits until it is there", DiagnosticSeverity.Warning);

    public static readonly DiagnosticDescriptor Amounts = Rule(
        "SERVE019", "Resources and concurrency groups are lists of names and amounts", "{0} \"{1}\" cannot be read: {2}");

    public static readonly DiagnosticDescriptor OldLanguage = Rule(
        "SERVE020", "Callers of remote functions need C# 14",
        "The callers of remote functions and actors need C# 14: remove LangVersion from the project or set it to 14", DiagnosticSeverity.Warning);

    public static readonly DiagnosticDescriptor Twice = Rule(
        "SERVE021", "Classes with remote functions and actors have names of their own in their namespace",
        "'{0}' and '{1}' would both be 'ray.{2}' in one namespace; rename one of them");

    public static readonly DiagnosticDescriptor Captures = Rule(
        "SERVE022", "A lambda that captures variables does not travel to a worker process",
        "This lambda captures {0} and so cannot run in a worker process; pass what it needs as arguments: ray.Run(static x => …, x)", DiagnosticSeverity.Warning);

    public static readonly DiagnosticDescriptor OfDeployments = Rule(
        "SERVE023", "What only deployments follow is not on what a cluster calls",
        "'{0}.{1}' has [{2}], which only the replicas of a deployment follow: here it would be ignored; remove it, or make the class a [Deployment]");

    public static readonly IReadOnlyList<DiagnosticDescriptor> All =
        [NotStatic, NotCallable, Overloaded, NotVisible, NoInstance, Constructors, NameTaken, Code, Running, Amounts, OldLanguage, Twice, Captures, OfDeployments];
}
