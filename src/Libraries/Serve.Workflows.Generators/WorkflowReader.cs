using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Serve.Generators.Models;
using Serve.Generators.Reading;

namespace Serve.Workflows.Generators;

/// <summary>Reads workflow classes and steps into models.</summary>
internal static class WorkflowReader
{
    public const string WorkflowAttribute = "Serve.Workflows.WorkflowAttribute";
    public const string StepAttribute = "Serve.Workflows.StepAttribute";
    public const string RemoteAttribute = "Serve.RemoteAttribute";

    private static readonly HashSet<string> RemoteProperties = ["NumCpus", "NumGpus", "Memory", "Resources", "Isolation", "MaxRetries", "TimeoutSeconds"];

    public static ClassModel ReadClass(INamedTypeSymbol type) => new(
        QualifiedTypeNames.Of(type), type.Name, QualifiedTypeNames.Flat(type),
        type.ContainingNamespace.IsGlobalNamespace ? null : type.ContainingNamespace.ToDisplayString(), TypeVisibility.IsPublic(type));

    public static WorkflowModel? ReadWorkflow(INamedTypeSymbol type)
    {
        var attribute = AttributeOf(type, WorkflowAttribute);
        if (attribute is null)
            return null;
        var arguments = attribute.NamedArguments.ToDictionary(pair => pair.Key, pair => pair.Value);
        var name = arguments.TryGetValue("Name", out var given) && given.Value is string { Length: > 0 } text ? text : type.Name;
        var version = arguments.TryGetValue("Version", out var number) && number.Value is int value ? value : 1;
        var methods = type.GetMembers("Run").OfType<IMethodSymbol>().Where(method => method is { DeclaredAccessibility: Accessibility.Public, IsStatic: false }).ToList();
        var reason = WhyInvalid(type, methods);
        return new(
            ReadClass(type), SymbolDisplay.FormatLiteral(name, quote: true), version, reason is null ? CallableMethodReader.Read(methods[0]) : null,
            reason is null ? null : StepFinding.Of(type, isStep: false, type.Name, reason));
    }

    public static StepClassModel? ReadSteps(INamedTypeSymbol type)
    {
        List<StepModel> steps = [];
        List<StepFinding> findings = [];
        foreach (var method in type.GetMembers().OfType<IMethodSymbol>())
        {
            var step = AttributeOf(method, StepAttribute);
            if ((step ?? AttributeOf(method, RemoteAttribute)) is not { } attribute)
                continue;
            var reason = WhyInvalid(type, method);
            if (reason is not null && step is not null)
                findings.Add(StepFinding.Of(method, isStep: true, $"{type.Name}.{method.Name}", reason));
            if (reason is null && steps.All(known => known.Method.Name != method.Name))
                steps.Add(new(CallableMethodReader.Read(method), step is not null, method.DeclaredAccessibility == Accessibility.Public, WriteRemote(attribute), WriteOptions(attribute)));
        }

        return steps.Count == 0 && findings.Count == 0 ? null : new(ReadClass(type), new([.. steps]), new([.. findings]));
    }

    public static AttributeData? AttributeOf(ISymbol symbol, string name) => symbol.GetAttributes().FirstOrDefault(attribute => attribute.AttributeClass?.ToDisplayString() == name);

    private static string? WhyInvalid(INamedTypeSymbol type, List<IMethodSymbol> methods) =>
        TypeVisibility.WhyHidden(type) is { } hidden ? $"is {hidden}; make it internal or public"
        : TypeVisibility.Containing(type).Any(each => each.IsGenericType) ? "is generic, but stored workflows have no type arguments"
        : type.IsAbstract || type.IsStatic ? "cannot be instantiated"
        : !type.InstanceConstructors.Any(constructor => constructor.Parameters.IsEmpty && TypeVisibility.IsVisible(constructor.DeclaredAccessibility)) ? "must have a constructor without parameters; pass data to Run"
        : methods.Count != 1 ? $"must have exactly one public method Run, but has {methods.Count}"
        : methods[0].Parameters.FirstOrDefault()?.Type.ToDisplayString() != "Serve.Workflows.WorkflowContext" ? "must have a method Run whose first parameter is a WorkflowContext"
        : methods[0].ReturnType is not INamedTypeSymbol { Name: "Task" } ? "must have a method Run that returns Task or Task<T>"
        : CallableMethodReader.WhyNotCallable(methods[0]) is { } why ? $"has a method Run that {why}"
        : null;

    private static string? WhyInvalid(INamedTypeSymbol type, IMethodSymbol method) =>
        TypeVisibility.WhyHidden(type) is { } hidden ? $"is in a class that is {hidden}; make it internal or public"
        : TypeVisibility.Containing(type).Any(each => each.IsGenericType) ? "is in a generic class"
        : !method.IsStatic ? "must be static, because a task has no instance"
        : !TypeVisibility.IsVisible(method.DeclaredAccessibility) ? "must be internal or public"
        : type.GetMembers(method.Name).OfType<IMethodSymbol>().Count(other => other.IsStatic) > 1 ? "is overloaded, but steps are found by name; rename one overload"
        : CallableMethodReader.WhyNotCallable(method)
        ?? (MethodReturnReader.Of(method).Shape is MethodReturnShape.Stream or MethodReturnShape.TaskOfStream ? "returns a stream, which cannot be stored; return a list" : null);

    private static string WriteRemote(AttributeData attribute)
    {
        var settings = attribute.NamedArguments.Where(pair => RemoteProperties.Contains(pair.Key)).Select(pair => $"{pair.Key} = {Literal(pair.Value)}").ToList();
        return settings.Count == 0 ? "new global::Serve.RemoteAttribute()" : $"new global::Serve.RemoteAttribute {{ {string.Join(", ", settings)} }}";
    }

    private static string WriteOptions(AttributeData attribute)
    {
        var settings = attribute.NamedArguments.Select(pair => pair.Key switch
        {
            "MaxRetries" or "RetryOn" or "Checkpoint" => $"{pair.Key} = {Literal(pair.Value)}",
            "BackoffSeconds" => $"Backoff = global::System.TimeSpan.FromSeconds({Literal(pair.Value)})",
            _ => null,
        }).Where(setting => setting is not null).ToList();
        return settings.Count == 0 ? "null" : $"new global::Serve.Workflows.StepOptions {{ {string.Join(", ", settings)} }}";
    }

    private static string Literal(TypedConstant constant) => constant switch
    {
        { Kind: TypedConstantKind.Array } => $"new global::System.Type[] {{ {string.Join(", ", constant.Values.Select(Literal))} }}",
        { Kind: TypedConstantKind.Type, Value: ITypeSymbol type } => $"typeof({QualifiedTypeNames.Of(type)})",
        { Kind: TypedConstantKind.Enum, Type: { } type } => $"({QualifiedTypeNames.Of(type)})({constant.Value})",
        { Value: double number } => DefaultValueWriter.Write(number),
        _ => constant.ToCSharpString(),
    };
}
