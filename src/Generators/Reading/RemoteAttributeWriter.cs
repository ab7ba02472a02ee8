using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Serve.Generators.Reading;

/// <summary>Writes a <c>[Remote]</c> attribute as the expression that creates it, which avoids reflection at run time.</summary>
internal static class RemoteAttributeWriter
{
    private const string Remote = "global::Serve.RemoteAttribute";

    /// <summary>Returns null if the attribute refers to a type that generated code cannot access.</summary>
    public static string? Write(AttributeData attribute)
    {
        var settings = attribute.NamedArguments.Where(argument => argument.Value.Kind != TypedConstantKind.Error).ToList();
        if (settings.Any(setting => !IsVisible(setting.Value)))
            return null;
        return settings.Count == 0
            ? $"new {Remote}()"
            : $"new {Remote} {{ {string.Join(", ", settings.Select(setting => $"{setting.Key} = {Value(setting.Value)}"))} }}";
    }

    private static bool IsVisible(TypedConstant value) => value.Kind switch
    {
        TypedConstantKind.Array => value.IsNull || value.Values.All(IsVisible),
        TypedConstantKind.Type => value.Value is not INamedTypeSymbol type || TypeVisibility.WhyHidden(type) is null,
        _ => true,
    };

    private static string Value(TypedConstant value) => value switch
    {
        { IsNull: true } => "null",
        { Kind: TypedConstantKind.Array } =>
            $"new {QualifiedTypeNames.Of(((IArrayTypeSymbol)value.Type!).ElementType)}[] {{ {string.Join(", ", value.Values.Select(Value))} }}",
        { Kind: TypedConstantKind.Type } => $"typeof({QualifiedTypeNames.Of((ITypeSymbol)value.Value!)})",
        { Kind: TypedConstantKind.Enum } => $"({QualifiedTypeNames.Of(value.Type!)})({Convert.ToString(value.Value, CultureInfo.InvariantCulture)})",
        { Value: double number } => DefaultValueWriter.Write(number),
        { Value: var primitive } => SymbolDisplay.FormatPrimitive(primitive!, quoteStrings: true, useHexadecimalNumbers: false),
    };
}
