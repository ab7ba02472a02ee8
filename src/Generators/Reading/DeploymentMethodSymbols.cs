using Microsoft.CodeAnalysis;

namespace Serve.Generators.Reading;

/// <summary>The methods of a deployment class that handles call: the same ones that are found by reflection when it is deployed.</summary>
internal static class DeploymentMethodSymbols
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

    public static IEnumerable<IMethodSymbol> Of(INamedTypeSymbol type) => ClassMethodSymbols.OfInstance(type)
        .Where(method => !IsHook(type, method) && !MultiplexedMethodReader.IsOne(method));

    /// <summary>Whether a public method is one that the platform calls.</summary>
    public static bool IsHook(INamedTypeSymbol type, IMethodSymbol method) =>
        Hooks.Contains(method.Name) || (method.Name == "Map" && type.AllInterfaces.Any(each => each.ToDisplayString() == "Serve.IIngress"));

    public static bool IsForHttpOnly(IMethodSymbol method) =>
        MethodReturnReader.Of(method).Result is { } result && IsHttp(result)
        || method.Parameters.Any(parameter => IsHttp(parameter.Type)
            || parameter.GetAttributes().Any(attribute => FromServices.Contains(attribute.AttributeClass?.ToDisplayString() ?? "")));

    private static bool IsHttp(ITypeSymbol type) => HttpOnly.Contains(type.WithNullableAnnotation(NullableAnnotation.None).ToDisplayString())
        || type.AllInterfaces.Any(each => each.ToDisplayString() == "Microsoft.AspNetCore.Http.IResult");
}
