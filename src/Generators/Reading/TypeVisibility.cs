using Microsoft.CodeAnalysis;

namespace Serve.Generators.Reading;

/// <summary>Determines which code can access a class.</summary>
internal static class TypeVisibility
{
    public static bool IsPublic(INamedTypeSymbol type) => Containing(type).All(each => each.DeclaredAccessibility == Accessibility.Public);

    /// <summary>Returns why generated code cannot access the class; null if it can.</summary>
    public static string? WhyHidden(INamedTypeSymbol type) =>
        Containing(type).Any(each => !IsVisible(each.DeclaredAccessibility)) ? "private or protected"
        : Containing(type).Any(each => each.IsFileLocal) ? "file-local"
        : null;

    public static bool IsVisible(Accessibility accessibility) =>
        accessibility is Accessibility.Public or Accessibility.Internal or Accessibility.ProtectedOrInternal;

    public static IEnumerable<INamedTypeSymbol> Containing(INamedTypeSymbol type)
    {
        for (var each = type; each is not null; each = each.ContainingType)
            yield return each;
    }
}
