using Microsoft.CodeAnalysis;

namespace Serve.Generators.Reading;

/// <summary>Finds the methods of a class, inherited ones included; of overridden methods only the last override.</summary>
internal static class ClassMethodSymbols
{
    /// <summary>Returns methods of any accessibility.</summary>
    public static IEnumerable<IMethodSymbol> Of(INamedTypeSymbol type)
    {
        // From the class to its bases, so that an override is found before the method it overrides.
        List<IMethodSymbol> found = [];
        for (var each = type; each is { SpecialType: not SpecialType.System_Object }; each = each.BaseType)
        {
            found.AddRange(each.GetMembers().OfType<IMethodSymbol>()
                .Where(method => method is { MethodKind: MethodKind.Ordinary, IsImplicitlyDeclared: false } && !found.Any(derived => Overrides(derived, method))));
        }

        return found;
    }

    /// <summary>Returns the public instance methods.</summary>
    public static IEnumerable<IMethodSymbol> OfInstance(INamedTypeSymbol type) => Of(type).Where(IsOwn);

    /// <summary>Returns an attribute of a method or of a method that it overrides.</summary>
    public static AttributeData? AttributeOf(IMethodSymbol method, string name)
    {
        for (var each = method; each is not null; each = each.OverriddenMethod)
        {
            if (each.GetAttributes().FirstOrDefault(attribute => attribute.AttributeClass?.ToDisplayString() == name) is { } found)
                return found;
        }

        return null;
    }

    private static bool IsOwn(IMethodSymbol method) =>
        method is { IsStatic: false, DeclaredAccessibility: Accessibility.Public } && !OverridesObject(method);

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
