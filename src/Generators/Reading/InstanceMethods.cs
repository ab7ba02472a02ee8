using Microsoft.CodeAnalysis;

namespace Serve.Generators.Reading;

/// <summary>The public methods of a class, those of its bases among them, that can be called on an instance.</summary>
internal static class InstanceMethods
{
    public static IEnumerable<IMethodSymbol> Of(INamedTypeSymbol type)
    {
        // From the class down to its bases: an override hides what it overrides.
        List<IMethodSymbol> found = [];
        for (var each = type; each is { SpecialType: not SpecialType.System_Object }; each = each.BaseType)
        {
            found.AddRange(each.GetMembers().OfType<IMethodSymbol>()
                .Where(method => IsOwn(method) && !found.Any(derived => Overrides(derived, method))));
        }

        return found;
    }

    private static bool IsOwn(IMethodSymbol method) =>
        method is { MethodKind: MethodKind.Ordinary, IsStatic: false, IsImplicitlyDeclared: false, DeclaredAccessibility: Accessibility.Public }
        && !OverridesObject(method);

    private static bool OverridesObject(IMethodSymbol method)
    {
        while (method.OverriddenMethod is { } overridden)
            method = overridden;
        return method.ContainingType.SpecialType == SpecialType.System_Object;
    }

    private static bool Overrides(IMethodSymbol derived, IMethodSymbol method)
    {
        for (var each = derived.OverriddenMethod; each is not null; each = each.OverriddenMethod)
        {
            if (SymbolEqualityComparer.Default.Equals(each.OriginalDefinition, method.OriginalDefinition))
                return true;
        }

        return false;
    }
}
