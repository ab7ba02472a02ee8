using Microsoft.CodeAnalysis;
using Serve.Generators.Diagnostics;
using Serve.Generators.Models;

namespace Serve.Generators.Reading;

/// <summary>Reads a method with <c>[Batch]</c> into its callers' view: one item for each list parameter, and one result.</summary>
internal static class BatchMethodReader
{
    private const int MostLists = 7;
    private const string Generic = "System.Collections.Generic.";

    private static readonly HashSet<string> Lists =
        [Generic + "List", Generic + "IReadOnlyList", Generic + "IList", Generic + "IReadOnlyCollection", Generic + "ICollection"];

    public static AttributeData? AttributeOf(IMethodSymbol method) => ClassMethodSymbols.AttributeOf(method, "Serve.BatchAttribute");

    /// <summary>Adds a diagnostic for each batch method that is not callable.</summary>
    public static void CheckCallable(INamedTypeSymbol type, List<DiagnosticInfo> findings)
    {
        foreach (var method in ClassMethodSymbols.Of(type).Where(method => AttributeOf(method) is not null))
        {
            var wrong = method.IsStatic || method.DeclaredAccessibility != Accessibility.Public ? "the method must be a public instance method to be called"
                : DeploymentMethodSymbols.IsHook(type, method) ? "the method is a hook, which only the platform calls"
                : null;
            if (wrong is not null)
                findings.Add(DiagnosticInfo.Of(DeploymentDiagnostics.BatchSettings, method, type.Name, method.Name, wrong));
        }
    }

    public static CallableMethodModel? Read(INamedTypeSymbol type, IMethodSymbol method, AttributeData attribute, List<DiagnosticInfo> findings)
    {
        var lists = method.Parameters.Where(parameter => parameter.Type.ToDisplayString() != "System.Threading.CancellationToken").ToList();
        var (list, isStream) = ReturnedList(method);
        var element = list is null ? null : ElementOf(list);
        var result = element is INamedTypeSymbol { Name: "BatchResult", TypeArguments.Length: 1 } outcome && outcome.ContainingNamespace.ToDisplayString() == "Serve"
            ? outcome.TypeArguments[0]
            : null;
        var wrong = lists.Count is 0 or > MostLists ? $"takes {lists.Count} lists"
            : lists.Find(parameter => TakenElement(parameter.Type) is null) is { } other ? $"takes '{other.Name}', which is not a list"
            : element is null || (isStream && result is null) ? $"returns {method.ReturnType.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat)}"
            : null;
        if (wrong is not null)
            findings.Add(new(DeploymentDiagnostics.BatchShape.Id, SourceLocation.Of(method), new([type.Name, method.Name, wrong])));
        CheckSettings(type, method, lists, attribute, findings);
        return wrong is not null ? null : new CallableMethodModel(
            method.Name,
            isStream ? MethodReturnShape.Stream : MethodReturnShape.TaskOfValue,
            IsValueTask: true,
            QualifiedTypeNames.Of(result ?? element!),
            new([.. lists.Select(parameter => ItemOf(parameter, TakenElement(parameter.Type)!))]),
            IsBatched: true);
    }

    private static void CheckSettings(INamedTypeSymbol type, IMethodSymbol method, List<IParameterSymbol> lists, AttributeData attribute, List<DiagnosticInfo> findings)
    {
        foreach (var argument in attribute.NamedArguments)
        {
            var wrong = (argument.Key, argument.Value.Value) switch
            {
                ("MaxBatchSize" or "MaxConcurrentBatches", int number) when number < 1 => $"{argument.Key} must be at least 1, but was {number}",
                ("BatchWaitTimeout", var text) when !DurationTextFormat.TryParse(text as string, out _) => $"BatchWaitTimeout must be {DurationTextFormat.Expected}, but was \"{text}\"",
                ("SizeMethod", string name) when !HasSize(type, name, lists) =>
                    $"the class has no method int {name}({string.Join(", ", lists.Select(list => (TakenElement(list.Type) ?? list.Type).ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat)))})",
                _ => null,
            };
            if (wrong is not null)
                findings.Add(new(DeploymentDiagnostics.BatchSettings.Id, SourceLocation.Of(method), new([type.Name, method.Name, wrong])));
        }
    }

    private static bool HasSize(INamedTypeSymbol type, string name, List<IParameterSymbol> lists) => ClassMethodSymbols.Of(type).Any(method =>
        method.Name == name && method is { IsGenericMethod: false, RefKind: RefKind.None, ReturnType.SpecialType: SpecialType.System_Int32 }
        && method.Parameters.Length == lists.Count
        && method.Parameters.Zip(lists, (item, list) => item.RefKind == RefKind.None && SymbolEqualityComparer.Default.Equals(item.Type, TakenElement(list.Type))).All(fits => fits));

    private static MethodParameterModel ItemOf(IParameterSymbol parameter, ITypeSymbol item) => new(
        parameter.Name,
        QualifiedTypeNames.Of(item),
        QualifiedTypeNames.Of(item.WithNullableAnnotation(item.IsReferenceType ? NullableAnnotation.None : item.NullableAnnotation)),
        null,
        IsParams: false,
        ParameterValueSource.Caller,
        CallableMethodReader.FitOf(item));

    private static (ITypeSymbol? List, bool IsStream) ReturnedList(IMethodSymbol method)
    {
        var (shape, result) = MethodReturnReader.Of(method);
        return shape switch
        {
            MethodReturnShape.Value or MethodReturnShape.TaskOfValue => (result, false),
            MethodReturnShape.Stream => (result, true),
            _ => (null, false),
        };
    }

    private static ITypeSymbol? TakenElement(ITypeSymbol type) =>
        type.OriginalDefinition.SpecialType == SpecialType.System_Collections_Generic_IEnumerable_T ? ((INamedTypeSymbol)type).TypeArguments[0] : ElementOf(type);

    private static ITypeSymbol? ElementOf(ITypeSymbol type) => type switch
    {
        IArrayTypeSymbol { Rank: 1 } array => array.ElementType,
        INamedTypeSymbol { TypeArguments.Length: 1 } named when Lists.Contains($"{named.ContainingNamespace.ToDisplayString()}.{named.Name}") => named.TypeArguments[0],
        _ => null,
    };
}
