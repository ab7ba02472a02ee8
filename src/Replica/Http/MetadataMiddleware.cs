using System.Collections.Immutable;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.HttpLogging;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;

namespace Serve.Replica.Http;

/// <summary>Middleware of ASP.NET Core that is configured by services and serves metadata of endpoints, such as that of <c>RequireAuthorization</c>.</summary>
/// <param name="Feature">Display name, as in "requires CORS".</param>
/// <param name="ServiceNamespace">Namespace of a service that is registered for this middleware only.</param>
/// <param name="ClassName">Name of the middleware's class.</param>
/// <param name="Registration">Code that registers its services.</param>
/// <param name="Addition">Code that adds it to a pipeline.</param>
/// <param name="AddTo">Adds it to a pipeline.</param>
/// <param name="IsRequiredBy">Whether metadata of an endpoint has an effect only with this middleware.</param>
internal sealed record MetadataMiddleware(
    string Feature, string ServiceNamespace, string ClassName, string Registration, string Addition, Action<IApplicationBuilder> AddTo, Func<EndpointMetadataCollection, bool> IsRequiredBy)
{
    /// <summary>All of them, in the order in which they run.</summary>
    public static readonly ImmutableArray<MetadataMiddleware> All =
    [
        new("HTTP logging", "Microsoft.AspNetCore.HttpLogging", "HttpLoggingMiddleware", "services.AddHttpLogging()", "app.UseHttpLogging()",
            static app => app.UseHttpLogging(), static metadata => metadata.GetMetadata<HttpLoggingAttribute>() is not null),
        new("CORS", "Microsoft.AspNetCore.Cors.Infrastructure", "CorsMiddleware", "services.AddCors(…)", "app.UseCors()",
            static app => app.UseCors(), static metadata => metadata.GetMetadata<ICorsMetadata>() is not null),
        new("authentication", "Microsoft.AspNetCore.Authentication", "AuthenticationMiddleware", "services.AddAuthentication(…)", "app.UseAuthentication()",
            static app => app.UseAuthentication(), RequiresAuthorization),
        new("authorization", "Microsoft.AspNetCore.Authorization.Policy", "AuthorizationMiddlewareInternal", "services.AddAuthorization()", "app.UseAuthorization()",
            static app => app.UseAuthorization(), RequiresAuthorization),
        new("rate limiting", "Microsoft.AspNetCore.RateLimiting", "RateLimitingMiddleware", "services.AddRateLimiter(…)", "app.UseRateLimiter()",
            static app => app.UseRateLimiter(), static metadata => metadata.GetMetadata<EnableRateLimitingAttribute>() is not null),
        new("request timeouts", "Microsoft.AspNetCore.Http.Timeouts", "RequestTimeoutsMiddleware", "services.AddRequestTimeouts()", "app.UseRequestTimeouts()",
            static app => app.UseRequestTimeouts(), static metadata => metadata.GetMetadata<RequestTimeoutAttribute>() is not null || metadata.GetMetadata<RequestTimeoutPolicy>() is not null),
        new("output caching", "Microsoft.AspNetCore.OutputCaching", "OutputCacheMiddleware", "services.AddOutputCache()", "app.UseOutputCache()",
            static app => app.UseOutputCache(), static metadata => metadata.GetMetadata<IOutputCachePolicy>() is not null || metadata.GetMetadata<OutputCacheAttribute>() is not null),
        new("antiforgery tokens", "Microsoft.AspNetCore.Antiforgery", "AntiforgeryMiddleware", "services.AddAntiforgery()", "app.UseAntiforgery()",
            static app => app.UseAntiforgery(), static metadata => metadata.GetMetadata<IAntiforgeryMetadata>() is { RequiresValidation: true }),
    ];

    /// <summary>Returns whether the services of this middleware are registered.</summary>
    public bool IsRegisteredIn(IServiceCollection services) => services.Any(service =>
        service.ServiceType.Namespace == ServiceNamespace || service.ServiceType.GenericTypeArguments.Any(argument => argument.Namespace == ServiceNamespace));

    private static bool RequiresAuthorization(EndpointMetadataCollection metadata) => metadata.GetMetadata<IAllowAnonymous>() is null
        && (metadata.GetMetadata<IAuthorizeData>() is not null || metadata.GetMetadata<AuthorizationPolicy>() is not null || metadata.GetMetadata<IAuthorizationRequirementData>() is not null);
}

/// <summary>The middleware whose services a deployment registers.</summary>
/// <param name="Registered">In the order in which it runs.</param>
internal sealed record MetadataMiddlewareSelection(ImmutableArray<MetadataMiddleware> Registered)
{
    /// <summary>Selects the middleware of registered services.</summary>
    public static MetadataMiddlewareSelection Of(IServiceCollection services) => new([.. MetadataMiddleware.All.Where(each => each.IsRegisteredIn(services))]);
}
