using Microsoft.CodeAnalysis;
using Serve.Generators.Models;

namespace Serve.Generators.Reading;

/// <summary>Reads a method into a model, or returns why it cannot be called remotely.</summary>
internal static class CallableMethodReader
{
    public static CallableMethodModel Read(IMethodSymbol method)
    {
        var (shape, result) = MethodReturnReader.Of(method);
        return new CallableMethodModel(
            method.Name,
            shape,
            method.ReturnType.Name == "ValueTask",
            result is null ? null : QualifiedTypeNames.Of(result),
            new([.. method.Parameters.Select(ReadParameter)]));
    }

    public static string? WhyNotCallable(IMethodSymbol method) =>
        method.IsGenericMethod ? "is generic"
        : method.IsAsync && method.ReturnsVoid ? "is async void, so its completion cannot be observed"
        : method.ReturnsByRef || method.ReturnsByRefReadonly ? "returns by reference"
        : method.ReturnType.IsRefLikeType || method.ReturnType is IPointerTypeSymbol or IFunctionPointerTypeSymbol ? "returns a span or a pointer"
        : method.Parameters.Any(parameter => parameter.RefKind != RefKind.None) ? "takes ref, in or out parameters"
        : method.Parameters.Any(parameter => parameter.Type.IsRefLikeType || parameter.Type is IPointerTypeSymbol or IFunctionPointerTypeSymbol) ? "takes a span or a pointer"
        : null;

    private static MethodParameterModel ReadParameter(IParameterSymbol parameter) => new(
        parameter.Name,
        QualifiedTypeNames.Of(parameter.Type),
        QualifiedTypeNames.Of(parameter.Type.WithNullableAnnotation(parameter.Type.IsReferenceType ? NullableAnnotation.None : parameter.Type.NullableAnnotation)),
        parameter.HasExplicitDefaultValue ? DefaultValueWriter.Write(parameter) : null,
        parameter.IsParams,
        parameter.Type.WithNullableAnnotation(NullableAnnotation.None).ToDisplayString() switch
        {
            "System.Threading.CancellationToken" => ParameterValueSource.Token,
            "Serve.Cluster" => ParameterValueSource.Cluster,
            _ => ParameterValueSource.Caller,
        },
        FitOf(parameter.Type));

    public static ParameterTypeKind FitOf(ITypeSymbol type) =>
        type.SpecialType == SpecialType.System_Object || type.TypeKind == TypeKind.Dynamic ? ParameterTypeKind.Anything
        : type.TypeKind == TypeKind.Interface ? ParameterTypeKind.Interface
        : type is { TypeKind: TypeKind.Class, IsSealed: false } ? ParameterTypeKind.Derived
        : ParameterTypeKind.Exact;
}
