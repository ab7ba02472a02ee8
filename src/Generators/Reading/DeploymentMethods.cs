using Microsoft.CodeAnalysis;
using Serve.Generators.Models;

namespace Serve.Generators.Reading;

/// <summary>The methods of a deployment class that handles call: the same ones that are found by reflection when it is deployed.</summary>
internal static class DeploymentMethods
{
    private static readonly HashSet<string> Hooks = ["CheckHealth", "Reconfigure", "Dispose", "DisposeAsync"];

    /// <summary>What only an HTTP request can provide: a method that wants one of these has no meaning as a call.</summary>
    private static readonly HashSet<string> HttpOnly =
    [
        "Microsoft.AspNetCore.Http.HttpContext",
        "Microsoft.AspNetCore.Http.HttpRequest",
        "Microsoft.AspNetCore.Http.HttpResponse",
        "Microsoft.AspNetCore.Http.IFormFile",
        "Microsoft.AspNetCore.Http.IFormFileCollection",
        "Microsoft.AspNetCore.Http.IFormCollection",
        "Microsoft.AspNetCore.Http.IResult",
        "System.IO.Pipelines.PipeReader",
        "System.IO.Stream",
        "System.Security.Claims.ClaimsPrincipal",
    ];

    private static readonly HashSet<string> FromServices =
    [
        "Microsoft.AspNetCore.Mvc.FromServicesAttribute",
        "Microsoft.Extensions.DependencyInjection.FromKeyedServicesAttribute",
        "Microsoft.AspNetCore.Http.AsParametersAttribute",
    ];

    public static IEnumerable<IMethodSymbol> Of(INamedTypeSymbol type)
    {
        // From the class down to its bases: an override hides what it overrides.
        List<IMethodSymbol> found = [];
        for (var each = type; each is { SpecialType: not SpecialType.System_Object }; each = each.BaseType)
        {
            found.AddRange(each.GetMembers().OfType<IMethodSymbol>()
                .Where(method => IsOwn(type, method) && !found.Any(derived => Overrides(derived, method))));
        }

        return found;
    }

    public static string? WhyNotCallable(IMethodSymbol method) =>
        method.IsGenericMethod ? "is generic"
        : method.ReturnsByRef || method.ReturnsByRefReadonly ? "returns by reference"
        : method.ReturnType.IsRefLikeType || method.ReturnType is IPointerTypeSymbol or IFunctionPointerTypeSymbol ? "returns a span or a pointer"
        : method.Parameters.Any(parameter => parameter.RefKind != RefKind.None) ? "takes ref, in or out parameters"
        : method.Parameters.Any(parameter => parameter.Type.IsRefLikeType || parameter.Type is IPointerTypeSymbol or IFunctionPointerTypeSymbol) ? "takes a span or a pointer"
        : null;

    public static bool IsForHttpOnly(IMethodSymbol method) =>
        ReturnShapes.Of(method).Result is { } result && IsHttp(result)
        || method.Parameters.Any(parameter => IsHttp(parameter.Type)
            || parameter.GetAttributes().Any(attribute => FromServices.Contains(attribute.AttributeClass?.ToDisplayString() ?? "")));

    public static MethodModel Read(IMethodSymbol method)
    {
        var (shape, result) = ReturnShapes.Of(method);
        return new MethodModel(
            method.Name,
            shape,
            method.ReturnType.Name == "ValueTask",
            result is null ? null : TypeNames.Of(result),
            new([.. method.Parameters.Select(ReadParameter)]));
    }

    private static ParameterModel ReadParameter(IParameterSymbol parameter) => new(
        parameter.Name,
        TypeNames.Of(parameter.Type),
        parameter.HasExplicitDefaultValue ? DefaultValues.Write(parameter) : null,
        parameter.IsParams,
        parameter.Type.ToDisplayString() == "System.Threading.CancellationToken");

    private static bool IsOwn(INamedTypeSymbol type, IMethodSymbol method) =>
        method is { MethodKind: MethodKind.Ordinary, IsStatic: false, IsImplicitlyDeclared: false, DeclaredAccessibility: Accessibility.Public }
        && !OverridesObject(method)
        && !Hooks.Contains(method.Name)
        && !(method.Name == "Map" && type.AllInterfaces.Any(each => each.ToDisplayString() == "Serve.IIngress"));

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

    private static bool IsHttp(ITypeSymbol type) => HttpOnly.Contains(type.WithNullableAnnotation(NullableAnnotation.None).ToDisplayString())
        || type.AllInterfaces.Any(each => each.ToDisplayString() == "Microsoft.AspNetCore.Http.IResult");
}
