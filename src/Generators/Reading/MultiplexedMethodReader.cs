using System.Globalization;
using Microsoft.CodeAnalysis;
using Serve.Generators.Diagnostics;
using Serve.Generators.Models;

namespace Serve.Generators.Reading;

/// <summary>Checks the <c>[Multiplexed]</c> methods of a deployment class, which load models and are not callable through a handle.</summary>
internal static class MultiplexedMethodReader
{
    public static bool IsOne(IMethodSymbol method) => AttributeOf(method) is not null;

    public static void Check(INamedTypeSymbol type, List<DiagnosticInfo> findings)
    {
        var methods = ClassMethodSymbols.Of(type).Where(IsOne).ToList();
        var wrong = methods.RemoveAll(method => !IsValid(type, method, findings));
        for (var i = 0; i < methods.Count; i++)
        {
            var first = methods.Find(method => IsSame(ModelOf(method), ModelOf(methods[i])));
            if (!SymbolEqualityComparer.Default.Equals(first, methods[i]))
                findings.Add(DiagnosticInfo.Of(MultiplexedDiagnostics.Twice, methods[i], type.Name, methods[i].Name, Name(ModelOf(methods[i])!), first.Name));
        }

        // After an invalid method, a parameter without a loader is only a consequence.
        if (wrong == 0)
            CheckParameters(type, methods, findings);
    }

    private static bool IsValid(INamedTypeSymbol type, IMethodSymbol method, List<DiagnosticInfo> findings)
    {
        var most = AttributeOf(method)!.NamedArguments
            .Where(argument => argument.Key == "MaxModelsPerReplica").Select(argument => argument.Value.Value).OfType<int>().DefaultIfEmpty(1).First();
        if (most is < -1 or 0)
            findings.Add(DiagnosticInfo.Of(MultiplexedDiagnostics.Limit, method, type.Name, method.Name, most.ToString(CultureInfo.InvariantCulture)));
        var fits = !method.IsStatic && !method.IsGenericMethod && TakesModelId(method) && ModelOf(method) is not null;
        if (!fits)
            findings.Add(DiagnosticInfo.Of(MultiplexedDiagnostics.Shape, method, type.Name, method.Name));
        return fits;
    }

    private static void CheckParameters(INamedTypeSymbol type, List<IMethodSymbol> methods, List<DiagnosticInfo> findings)
    {
        foreach (var parameter in type.InstanceConstructors.SelectMany(constructor => constructor.Parameters))
        {
            if (parameter.Type is not INamedTypeSymbol { Name: "IMultiplexed", TypeArguments.Length: 1 } asked || asked.ContainingNamespace.ToDisplayString() != "Serve")
                continue;
            var model = asked.TypeArguments[0];
            if (methods.Exists(method => IsSame(ModelOf(method), model)))
                continue;
            var fitting = methods.Count(method => IsAssignable(ModelOf(method)!, model));
            if (fitting != 1)
            {
                findings.Add(DiagnosticInfo.Of(MultiplexedDiagnostics.NotLoaded, parameter, type.Name, Name(model), fitting > 1
                    ? "several of its [Multiplexed] methods load one; request a more specific type"
                    : $"has no method that loads it: [Multiplexed] Task<{Name(model)}> Load(string modelId, CancellationToken stop)"));
            }
        }
    }

    private static bool TakesModelId(IMethodSymbol method) =>
        method.Parameters.Length is 1 or 2
        && method.Parameters.All(parameter => parameter.RefKind == RefKind.None)
        && method.Parameters[0].Type.SpecialType == SpecialType.System_String
        && method.Parameters.Skip(1).All(stop => stop.Type.ToDisplayString() == "System.Threading.CancellationToken");

    private static ITypeSymbol? ModelOf(IMethodSymbol method) => MethodReturnReader.Of(method) is { Shape: MethodReturnShape.Value or MethodReturnShape.TaskOfValue } result ? result.Result : null;

    private static bool IsAssignable(ITypeSymbol model, ITypeSymbol asked)
    {
        for (ITypeSymbol? each = model; each is not null; each = each.BaseType)
        {
            if (IsSame(each, asked))
                return true;
        }

        return model.AllInterfaces.Any(each => IsSame(each, asked));
    }

    private static bool IsSame(ITypeSymbol? one, ITypeSymbol? other) => SymbolEqualityComparer.Default.Equals(one, other);

    private static AttributeData? AttributeOf(IMethodSymbol method) => ClassMethodSymbols.AttributeOf(method, "Serve.MultiplexedAttribute");

    private static string Name(ITypeSymbol type) => type.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat);
}
