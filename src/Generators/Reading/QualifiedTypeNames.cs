using System.Text;
using Microsoft.CodeAnalysis;

namespace Serve.Generators.Reading;

/// <summary>Writes type names for generated code.</summary>
internal static class QualifiedTypeNames
{
    private static readonly SymbolDisplayFormat Format = SymbolDisplayFormat.FullyQualifiedFormat
        .AddMiscellaneousOptions(SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier);

    public static string Of(ITypeSymbol type) => type.ToDisplayString(Format);

    /// <summary>Returns the full name as a single identifier that is unique within an assembly: its own underscores are doubled.</summary>
    public static string Flat(INamedTypeSymbol type)
    {
        var flat = new StringBuilder();
        foreach (var letter in type.ToDisplayString(SymbolDisplayFormat.CSharpErrorMessageFormat).Where(letter => letter != '@'))
            flat.Append(letter == '_' ? "__" : char.IsLetterOrDigit(letter) ? letter.ToString() : "_");
        return flat.ToString();
    }
}
