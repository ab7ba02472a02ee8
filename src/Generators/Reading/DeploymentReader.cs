using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Serve.Generators.Diagnostics;
using Serve.Generators.Models;

namespace Serve.Generators.Reading;

/// <summary>Reads a class with <c>[Deployment]</c> into a model.</summary>
internal static class DeploymentReader
{
    /// <summary>Members of the handle itself: C# prefers them to extension members.</summary>
    private static readonly HashSet<string> Taken = ["Options", "ToDeploymentHandle", "GetType", "ToString", "Equals", "GetHashCode"];

    public static DeploymentModel Read(INamedTypeSymbol type, CancellationToken cancellationToken)
    {
        List<Finding> findings = [];
        List<MethodModel> methods = [];
        MultiplexedMethods.Check(type, findings);
        BatchReader.CheckCallable(type, findings);
        if (IsInstantiable(type, findings) & IsVisible(type, findings))
        {
            foreach (var named in DeploymentMethods.Of(type).GroupBy(method => method.Name))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (ReadMethod(type, [.. named], findings) is { } method)
                    methods.Add(method);
            }
        }

        return new DeploymentModel(
            TypeNames.Of(type),
            TypeNames.Flat(type) + "Handle",
            Visibility.IsPublic(type),
            new([.. methods]),
            new([.. findings]));
    }

    private static MethodModel? ReadMethod(INamedTypeSymbol type, ImmutableArray<IMethodSymbol> overloads, List<Finding> findings)
    {
        var method = overloads[0];
        if (overloads.Length > 1)
        {
            findings.AddRange(overloads.Skip(1).Select(each => Finding.Of(Rules.Overloaded, each, type.Name, each.Name)));
            return null;
        }

        if (MethodReader.WhyNotCallable(method) is { } why)
        {
            findings.Add(Finding.Of(Rules.NotCallable, method, type.Name, method.Name, why));
            return null;
        }

        if (Taken.Contains(method.Name))
        {
            findings.Add(Finding.Of(Rules.NameTaken, method, type.Name, method.Name));
            return null;
        }

        if (BatchReader.AttributeOf(method) is { } batch)
            return BatchReader.Read(type, method, batch, findings);
        return DeploymentMethods.IsForHttpOnly(method) ? null : MethodReader.Read(method);
    }

    private static bool IsInstantiable(INamedTypeSymbol type, List<Finding> findings)
    {
        var kind = Visibility.Containing(type).Any(each => each.IsGenericType) ? "generic"
            : type.IsStatic ? "static"
            : type.IsAbstract ? "abstract"
            : null;
        if (kind is not null)
            findings.Add(Finding.Of(Rules.NoInstance, type, type.Name, kind));
        var constructors = type.InstanceConstructors.Count(constructor => constructor.DeclaredAccessibility == Accessibility.Public);
        if (kind is null && constructors != 1)
            findings.Add(Finding.Of(Rules.Constructors, type, type.Name, constructors == 0 ? "no" : constructors.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        return kind is null;
    }

    private static bool IsVisible(INamedTypeSymbol type, List<Finding> findings)
    {
        if (Visibility.WhyHidden(type) is not { } hidden)
            return true;
        findings.Add(Finding.Of(Rules.NotVisible, type, type.Name, hidden));
        return false;
    }
}
