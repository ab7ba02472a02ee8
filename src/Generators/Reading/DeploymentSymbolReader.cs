using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Serve.Generators.Diagnostics;
using Serve.Generators.Models;

namespace Serve.Generators.Reading;

/// <summary>Reads a class with <c>[Deployment]</c> into a model.</summary>
internal static class DeploymentSymbolReader
{
    /// <summary>Members of the handle itself, which C# prefers to extension members.</summary>
    private static readonly HashSet<string> Taken = ["Options", "ToDeploymentHandle", "GetType", "ToString", "Equals", "GetHashCode"];

    public static DeploymentClassModel Read(INamedTypeSymbol type, CancellationToken cancellationToken)
    {
        List<DiagnosticInfo> findings = [];
        List<CallableMethodModel> methods = [];
        MultiplexedMethodReader.Check(type, findings);
        BatchMethodReader.CheckCallable(type, findings);
        if (IsInstantiable(type, findings) & IsVisible(type, findings))
        {
            foreach (var named in DeploymentMethodSymbols.Of(type).GroupBy(method => method.Name))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (ReadMethod(type, [.. named], findings) is { } method)
                    methods.Add(method);
            }
        }

        return new DeploymentClassModel(
            QualifiedTypeNames.Of(type),
            QualifiedTypeNames.Flat(type) + "Handle",
            TypeVisibility.IsPublic(type),
            new([.. methods]),
            new([.. findings]));
    }

    private static CallableMethodModel? ReadMethod(INamedTypeSymbol type, ImmutableArray<IMethodSymbol> overloads, List<DiagnosticInfo> findings)
    {
        var method = overloads[0];
        if (overloads.Length > 1)
        {
            findings.AddRange(overloads.Skip(1).Select(each => DiagnosticInfo.Of(DeploymentDiagnostics.Overloaded, each, type.Name, each.Name)));
            return null;
        }

        if (CallableMethodReader.WhyNotCallable(method) is { } why)
        {
            findings.Add(DiagnosticInfo.Of(DeploymentDiagnostics.NotCallable, method, type.Name, method.Name, why));
            return null;
        }

        if (Taken.Contains(method.Name))
        {
            findings.Add(DiagnosticInfo.Of(DeploymentDiagnostics.NameTaken, method, type.Name, method.Name));
            return null;
        }

        if (BatchMethodReader.AttributeOf(method) is { } batch)
            return BatchMethodReader.Read(type, method, batch, findings);
        return DeploymentMethodSymbols.IsForHttpOnly(method) ? null : CallableMethodReader.Read(method);
    }

    private static bool IsInstantiable(INamedTypeSymbol type, List<DiagnosticInfo> findings)
    {
        var kind = TypeVisibility.Containing(type).Any(each => each.IsGenericType) ? "generic"
            : type.IsStatic ? "static"
            : type.IsAbstract ? "abstract"
            : null;
        if (kind is not null)
            findings.Add(DiagnosticInfo.Of(DeploymentDiagnostics.NoInstance, type, type.Name, kind));
        var constructors = type.InstanceConstructors.Count(constructor => constructor.DeclaredAccessibility == Accessibility.Public);
        if (kind is null && constructors != 1)
            findings.Add(DiagnosticInfo.Of(DeploymentDiagnostics.Constructors, type, type.Name, constructors == 0 ? "no" : constructors.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        return kind is null;
    }

    private static bool IsVisible(INamedTypeSymbol type, List<DiagnosticInfo> findings)
    {
        if (TypeVisibility.WhyHidden(type) is not { } hidden)
            return true;
        findings.Add(DiagnosticInfo.Of(DeploymentDiagnostics.NotVisible, type, type.Name, hidden));
        return false;
    }
}
