using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Serve.Replica.Tests.Samples;

/// <summary>Accepts the user that a header names.</summary>
public sealed class HeaderAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public static void AddTo(IServiceCollection services)
    {
        services.AddAuthentication("Header").AddScheme<AuthenticationSchemeOptions, HeaderAuthentication>("Header", null);
        services.AddAuthorizationBuilder().AddPolicy("admin", policy => policy.RequireClaim(ClaimTypes.Name, "root"));
        services.AddCors(cors => cors.AddPolicy("site", policy => policy.WithOrigins("http://site").WithMethods("PUT")));
    }

    protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult((string?)Request.Headers["X-User"] is { } user
        ? AuthenticateResult.Success(new(new(new ClaimsIdentity([new(ClaimTypes.Name, user)], Scheme.Name)), Scheme.Name))
        : AuthenticateResult.NoResult());
}

/// <summary>Uses the middleware of its services.</summary>
[Deployment]
public sealed class Guarded : IIngress
{
    private int _calls;

    public static void ConfigureServices(IServiceCollection services)
    {
        HeaderAuthentication.AddTo(services);
        services.AddOutputCache();
        services.AddRateLimiter(limits => limits.AddPolicy("one", context => System.Threading.RateLimiting.RateLimitPartition.GetConcurrencyLimiter("", key => new() { PermitLimit = 1 })));
        services.AddRequestTimeouts();
    }

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/calls", () => _calls);
        routes.MapPut("/site", () => ++_calls).RequireCors("site");
        routes.Map("/any", () => ++_calls);
        routes.MapPut("/user", (ClaimsPrincipal user) => user.Identity!.Name).RequireCors("site").RequireAuthorization();
        routes.MapGet("/admin", () => ++_calls).RequireAuthorization("admin");
        routes.MapGet("/cached", () => ++_calls).CacheOutput();
        routes.MapGet("/limited", () => "ok").RequireRateLimiting("one");
        routes.MapGet("/slow", async (CancellationToken stop) => await Task.Delay(Timeout.Infinite, stop)).WithRequestTimeout(TimeSpan.FromMilliseconds(10));
    }
}

/// <summary>Adds its own middleware.</summary>
[Deployment]
public sealed class Piped : IIngress
{
    private int _seen;

    public static void ConfigureServices(IServiceCollection services) => HeaderAuthentication.AddTo(services);

    public void Configure(IApplicationBuilder app)
    {
        app.Use((context, next) =>
        {
            context.Response.Headers["X-Seen"] = $"{++_seen}";
            return next(context);
        });
        app.UseStaticFiles().UseAuthentication().UseAuthorization();
    }

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/user", (ClaimsPrincipal user) => user.Identity!.Name).RequireAuthorization();
        routes.MapGet("/file", () => Results.File("page.html", "text/html"));
    }
}

/// <summary>Requires a user for all its methods but one.</summary>
[Deployment]
[Authorize]
public sealed class Members
{
    public static void ConfigureServices(IServiceCollection services) => HeaderAuthentication.AddTo(services);

    public string Call() => "member";

    [HttpGet("/free"), AllowAnonymous]
    public string Free() => "free";
}

/// <summary>Requires a user for its only endpoint.</summary>
[Deployment]
public sealed class Member
{
    public static void ConfigureServices(IServiceCollection services) => HeaderAuthentication.AddTo(services);

    [Authorize]
    public string Call() => "member";
}
