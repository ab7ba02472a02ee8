using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Serve.Generators.Reading;

/// <summary>Writes the default value of a parameter as a C# expression.</summary>
internal static class DefaultValueWriter
{
    public static string Write(IParameterSymbol parameter)
    {
        var type = QualifiedTypeNames.Of(parameter.Type);
        var value = parameter.ExplicitDefaultValue;
        var plain = parameter.Type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } nullable
            ? nullable.TypeArguments[0]
            : parameter.Type;
        return value switch
        {
            null => $"default({type})",
            _ when plain.TypeKind == TypeKind.Enum => $"({QualifiedTypeNames.Of(plain)})({SymbolDisplay.FormatPrimitive(value, quoteStrings: true, useHexadecimalNumbers: false)})",
            double number => Write(number),
            float number => $"(float)({Floating(number, "R")})",
            decimal number => number.ToString(CultureInfo.InvariantCulture) + "m",
            string or char => SymbolDisplay.FormatPrimitive(value, quoteStrings: true, useHexadecimalNumbers: false),
            bool flag => flag ? "true" : "false",
            _ => $"({QualifiedTypeNames.Of(plain)})({SymbolDisplay.FormatPrimitive(value, quoteStrings: true, useHexadecimalNumbers: false)})",
        };
    }

    public static string Write(double number) => $"(double)({Floating(number, "R")})";

    private static string Floating(double number, string format) =>
        double.IsNaN(number) ? "double.NaN"
        : double.IsPositiveInfinity(number) ? "double.PositiveInfinity"
        : double.IsNegativeInfinity(number) ? "double.NegativeInfinity"
        : number.ToString(format, CultureInfo.InvariantCulture) + "d";
}
