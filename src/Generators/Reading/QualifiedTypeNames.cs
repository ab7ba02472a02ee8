using System.Text;
using Microsoft.CodeAnalysis;

namespace Serve.Generators.Reading;

/// <summary>Names of types as generated code writes them.</summary>
internal static class QualifiedTypeNames
{
    private static readonly SymbolDisplayFormat Format = SymbolDisplayFormat.FullyQualifiedFormat
        .AddMiscellaneousOptions(SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier);

    public static string Of(ITypeSymbol type) => type.ToDisplayString(Format);

    /// <summary>The full name as one identifier, unique within an assembly: an underscore of its own is doubled.</summary>
    public static string Flat(INamedTypeSymbol type)
    {
        var flat = new StringBuilder();
        foreach (var letter in type.ToDisplayString(SymbolDisplayFormat.CSharpErrorMessageFormat).Where(letter => letter != '@'))
            flat.Append(letter == '_' ? "__" : char.IsLetterOrDigit(letter) ? letter.ToString() : "_");
        return flat.ToString();
    }
}
