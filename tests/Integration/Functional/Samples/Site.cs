#:property ContentFiles=words.txt;wwwroot/**
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Serve;

/// <summary>An ingress with middleware and files.</summary>
[Deployment]
public sealed class Site(IHostEnvironment environment) : IIngress
{
    private int calls;

    public static void ConfigureServices(IServiceCollection services)
    {
        services.AddCors(cors => cors.AddPolicy("site", policy => policy.WithOrigins("http://site").WithMethods("PUT").WithHeaders("X-User")));
        services.AddAuthentication("Header").AddScheme<AuthenticationSchemeOptions, HeaderHandler>("Header", null);
        services.AddAuthorization();
    }

    public void Configure(IApplicationBuilder app) => app.UseCors().UseAuthentication().UseAuthorization().UseStaticFiles();

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/calls", () => calls);
        routes.MapPut("/user", (ClaimsPrincipal user) => $"{user.Identity!.Name} {++calls}").RequireAuthorization().RequireCors("site");
        routes.Map("/any", () => ++calls);
        routes.MapGet("/words", () => File.ReadAllText(Path.Combine(environment.ContentRootPath, "words.txt")));
        routes.MapGet("/file", () => Results.File("page.html", "text/html"));
    }
}

/// <summary>Accepts the user that a header names.</summary>
public sealed class HeaderHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult((string?)Request.Headers["X-User"] is { } user
        ? AuthenticateResult.Success(new(new(new ClaimsIdentity([new(ClaimTypes.Name, user)], Scheme.Name)), Scheme.Name))
        : AuthenticateResult.NoResult());
}

/// <summary>Requires authorization without its services.</summary>
[Deployment]
public sealed class Open : IIngress
{
    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/secret", () => "secret").RequireAuthorization();
}
