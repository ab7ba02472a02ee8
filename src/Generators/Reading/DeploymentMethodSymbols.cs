using Microsoft.CodeAnalysis;

namespace Serve.Generators.Reading;

/// <summary>Finds the methods of a deployment class that are callable through a handle: the same ones that reflection finds when it is deployed.</summary>
internal static class DeploymentMethodSymbols
{
    private static readonly HashSet<string> Hooks = ["CheckHealth", "Reconfigure", "Dispose", "DisposeAsync"];

    /// <summary>Types that only an HTTP request provides; methods that use one of them are not callable through a handle.</summary>
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

    public static IEnumerable<IMethodSymbol> Of(INamedTypeSymbol type) => ClassMethodSymbols.OfInstance(type)
        .Where(method => !IsHook(type, method) && !MultiplexedMethodReader.IsOne(method));

    /// <summary>Returns whether a public method is a hook that the platform calls.</summary>
    public static bool IsHook(INamedTypeSymbol type, IMethodSymbol method) =>
        Hooks.Contains(method.Name) || (method.Name is "Map" or "Configure" && type.AllInterfaces.Any(each => each.ToDisplayString() == "Serve.IIngress"));

    public static bool IsForHttpOnly(IMethodSymbol method) =>
        MethodReturnReader.Of(method).Result is { } result && IsHttp(result)
        || method.Parameters.Any(parameter => IsHttp(parameter.Type)
            || parameter.GetAttributes().Any(attribute => FromServices.Contains(attribute.AttributeClass?.ToDisplayString() ?? "")));

    private static bool IsHttp(ITypeSymbol type) => HttpOnly.Contains(type.WithNullableAnnotation(NullableAnnotation.None).ToDisplayString())
        || type.AllInterfaces.Any(each => each.ToDisplayString() == "Microsoft.AspNetCore.Http.IResult");
}
