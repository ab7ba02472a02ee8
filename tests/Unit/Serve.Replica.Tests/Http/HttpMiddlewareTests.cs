using System.Net;
using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;

namespace Serve.Replica.Tests.Http;

/// <summary>Middleware of deployments, and endpoints whose metadata needs one.</summary>
public sealed class HttpMiddlewareTests
{
    private const string Guard = "using Microsoft.AspNetCore.Builder; using Microsoft.AspNetCore.Http; using Microsoft.AspNetCore.Mvc; using Microsoft.AspNetCore.Routing; using Microsoft.Extensions.DependencyInjection;";

    [Fact]
    public async Task Preflight_OfAPolicy_IsAnsweredWithoutUserCode()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Guarded));

        foreach (var path in new[] { "/site", "/user" })
        {
            using var response = await PreflightAsync(replica, path);
            Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
            Assert.Equal("http://site", Assert.Single(response.Headers.GetValues("Access-Control-Allow-Origin")));
        }

        Assert.Equal("0", await replica.GetAsync("/calls"));
    }

    [Fact]
    public async Task Request_OfAPolicy_HasItsHeaders()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Guarded));

        using var response = await SendAsync(replica, HttpMethod.Put, "/site", ("Origin", "http://site"));

        Assert.Equal("1", await response.Content.ReadAsStringAsync());
        Assert.Equal("http://site", Assert.Single(response.Headers.GetValues("Access-Control-Allow-Origin")));
    }

    [Theory]
    [InlineData(typeof(Guarded), "/any")]
    [InlineData(typeof(Guarded), "/calls")]
    [InlineData(typeof(Counter), "")]
    [InlineData(typeof(Routed), "/v2/numbers")]
    public async Task Preflight_WithoutPolicy_NeverRunsUserCode(Type sample, string path)
    {
        await using var replica = await ReplicaTestHost.StartAsync(sample);

        using var response = await PreflightAsync(replica, path);

        Assert.True(response.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.MethodNotAllowed, $"{response.StatusCode}");
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
        if (sample == typeof(Guarded))
            Assert.Equal("0", await replica.GetAsync("/calls"));
        if (sample == typeof(Counter))
            Assert.Equal("""{"count":1}""", await replica.GetAsync());
    }

    [Fact]
    public async Task Authorization_RegisteredServices_GuardTheEndpoints()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Guarded));

        Assert.Equal((401, ""), await TextAsync(replica, HttpMethod.Put, "/user"));
        Assert.Equal((200, "ada"), await TextAsync(replica, HttpMethod.Put, "/user", ("X-User", "ada")));
        Assert.Equal((403, ""), await TextAsync(replica, HttpMethod.Get, "/admin", ("X-User", "ada")));
        Assert.Equal((200, "1"), await TextAsync(replica, HttpMethod.Get, "/admin", ("X-User", "root")));
    }

    [Fact]
    public async Task OtherMiddleware_RegisteredServices_Run()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Guarded));

        Assert.Equal("1", await replica.GetAsync("/cached"));
        Assert.Equal("1", await replica.GetAsync("/cached"));
        Assert.Equal("ok", await replica.GetAsync("/limited"));
        Assert.Equal(504, (await TextAsync(replica, HttpMethod.Get, "/slow")).Status);
    }

    [Fact]
    public async Task Configure_OwnMiddleware_RunsAlsoWithoutAnEndpoint()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Piped));

        using var missing = await SendAsync(replica, HttpMethod.Get, "/none");
        using var denied = await SendAsync(replica, HttpMethod.Get, "/user");
        using var found = await SendAsync(replica, HttpMethod.Get, "/user", ("X-User", "ada"));

        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        Assert.Equal("1", Assert.Single(missing.Headers.GetValues("X-Seen")));
        Assert.Contains("no_such_route", await missing.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, denied.StatusCode);
        Assert.Equal("2", Assert.Single(denied.Headers.GetValues("X-Seen")));
        Assert.Equal("ada", await found.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task StaticFiles_OfThePackage_AreServed()
    {
        using var code = UserCode.Compile(Guard + """
            [Deployment] public class Site : IIngress
            {
                public void Configure(IApplicationBuilder app) => app.UseDefaultFiles().UseStaticFiles();
                public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/file", () => Results.File("page.html", "text/html"));
            }
            """);
        Directory.CreateDirectory(Path.Combine(code.Directory, "wwwroot"));
        File.WriteAllText(Path.Combine(code.Directory, "wwwroot", "page.html"), "page");
        File.WriteAllText(Path.Combine(code.Directory, "wwwroot", "index.html"), "index");
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Counter), new() { AssemblyPath = code.Assembly(), TypeName = "Site" });

        Assert.Equal("page", await replica.GetAsync("/page.html"));
        Assert.Equal("index", await replica.GetAsync("/"));
        Assert.Equal("page", await replica.GetAsync("/file"));
        Assert.Equal(404, (await TextAsync(replica, HttpMethod.Get, "/App.dll")).Status);
    }

    [Theory]
    [InlineData(typeof(Members))]
    [InlineData(typeof(Member))]
    public async Task Call_AuthorizeAttribute_IsEnforced(Type sample)
    {
        await using var replica = await ReplicaTestHost.StartAsync(sample);

        Assert.Equal((401, ""), await TextAsync(replica, HttpMethod.Get, ""));
        Assert.Equal((200, "member"), await TextAsync(replica, HttpMethod.Get, "", ("X-User", "ada")));
        if (sample == typeof(Members))
            Assert.Equal((200, "free"), await TextAsync(replica, HttpMethod.Get, "/free"));
    }

    [Theory]
    [InlineData("RequireAuthorization()", "GET /a requires authentication, which no middleware of the deployment provides. Call services.AddAuthentication(…) in ConfigureServices.")]
    [InlineData("RequireAuthorization()", "GET /a requires authorization, which no middleware of the deployment provides. Call services.AddAuthorization() in ConfigureServices.")]
    [InlineData("RequireCors(\"x\")", "GET /a requires CORS, which no middleware of the deployment provides. Call services.AddCors(…) in ConfigureServices.")]
    [InlineData("RequireRateLimiting(\"x\")", "GET /a requires rate limiting")]
    [InlineData("CacheOutput()", "GET /a requires output caching")]
    [InlineData("WithRequestTimeout(\"x\")", "GET /a requires request timeouts")]
    [InlineData("WithHttpLogging(Microsoft.AspNetCore.HttpLogging.HttpLoggingFields.All)", "GET /a requires HTTP logging")]
    [InlineData("WithMetadata(new RequireHttpsAttribute())", "GET /a has [RequireHttps], a filter of MVC controllers")]
    public Task Map_MetadataWithoutMiddleware_FailsTheStart(string metadata, string expected) => AssertRefusedAsync(expected, $$"""
        [Deployment] public class App : IIngress
        {
            public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/a", () => 1).{{metadata}};
        }
        """);

    [Theory]
    [InlineData("RequireCors(\"y\")", "GET /a: CORS policy 'y' is not registered.")]
    [InlineData("RequireCors()", "GET /a: no default CORS policy is registered.")]
    [InlineData("RequireAuthorization(\"y\")", "GET /a: The AuthorizationPolicy named: 'y' was not found.")]
    [InlineData("RequireAuthorization()", "GET /a: authorization needs an authentication scheme.")]
    [InlineData("RequireAuthorization(p => p.AddAuthenticationSchemes(\"y\").RequireClaim(\"z\"))", "GET /a: authentication scheme 'y' is not registered.")]
    [InlineData("WithRequestTimeout(\"y\")", "GET /a: request timeout policy 'y' is not registered.")]
    [InlineData("RequireRateLimiting(\"y\")", "GET /a: rate limiting policy 'y' is not registered.")]
    public Task Map_UnknownPolicy_FailsTheStart(string metadata, string expected) => AssertRefusedAsync(expected, $$"""
        [Deployment] public class App : IIngress
        {
            public static void ConfigureServices(IServiceCollection services)
            {
                services.AddCors(cors => cors.AddPolicy("x", policy => policy.AllowAnyOrigin()));
                services.AddAuthentication();
                services.AddAuthorization();
                services.AddRequestTimeouts();
                services.AddRateLimiter(limiter => limiter.AddPolicy("x", _ => System.Threading.RateLimiting.RateLimitPartition.GetNoLimiter("")));
            }

            public void Map(IEndpointRouteBuilder routes)
            {
                routes.MapGet("/registered", () => 1).RequireRateLimiting("x");
                routes.MapGet("/disabled", () => 1).RequireRateLimiting("z").DisableRateLimiting();
                routes.MapGet("/a", () => 1).{{metadata}};
            }
        }
        """);

    [Fact]
    public Task Map_FormWithoutAntiforgery_FailsTheStart() => AssertRefusedAsync(
        "POST /a requires antiforgery tokens, which no middleware of the deployment provides. Call services.AddAntiforgery() in ConfigureServices, or call DisableAntiforgery() on the endpoint", """
        [Deployment] public class App : IIngress
        {
            public void Map(IEndpointRouteBuilder routes) => routes.MapPost("/a", (IFormFile file) => file.Length);
        }
        """);

    [Fact]
    public Task Configure_MiddlewareLeftOut_FailsTheStart() => AssertRefusedAsync(
        "GET /a requires CORS, which no middleware of the deployment provides. Call app.UseCors() in Configure.", """
        [Deployment] public class App : IIngress
        {
            public static void ConfigureServices(IServiceCollection services) => services.AddCors(cors => cors.AddDefaultPolicy(policy => policy.AllowAnyOrigin()));
            public void Configure(IApplicationBuilder app) => app.UseStaticFiles();
            public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/a", () => 1).RequireCors();
        }
        """);

    [Theory]
    [InlineData("[Microsoft.AspNetCore.Authorization.Authorize] public int Call() => 1;", "GET|HEAD|POST|PUT|PATCH|DELETE / requires authorization")]
    [InlineData("[HttpGet(\"/a\"), Microsoft.AspNetCore.Cors.EnableCors] public int A() => 1;", "GET /a requires CORS")]
    [InlineData("[HttpGet(\"/a\"), ResponseCache(Duration = 1)] public int A() => 1;", "GET /a has [ResponseCache]")]
    public Task Attribute_WithoutMiddleware_FailsTheStart(string method, string expected) => AssertRefusedAsync(expected, $$"""
        [Deployment] public class App { {{method}} }
        """);

    private static async Task AssertRefusedAsync(string expected, string source)
    {
        using var code = UserCode.Compile(Guard + source);

        var error = await Assert.ThrowsAsync<DefinitionException>(() => ReplicaTestHost.StartAsync(typeof(Counter), new() { AssemblyPath = code.Assembly(), TypeName = "App" }));

        Assert.Contains(error.Errors, message => message.StartsWith(expected, StringComparison.Ordinal));
        Assert.DoesNotContain(error.Errors, message => message.Contains("/registered", StringComparison.Ordinal) || message.Contains("/disabled", StringComparison.Ordinal));
    }

    private static Task<HttpResponseMessage> PreflightAsync(ReplicaTestHost replica, string path) =>
        SendAsync(replica, HttpMethod.Options, path, ("Origin", "http://site"), ("Access-Control-Request-Method", "PUT"));

    private static async Task<(int Status, string Text)> TextAsync(ReplicaTestHost replica, HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var response = await SendAsync(replica, method, path, headers);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private static async Task<HttpResponseMessage> SendAsync(ReplicaTestHost replica, HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, ReplicaTestHost.Prefix + path);
        foreach (var (name, value) in headers)
            request.Headers.Add(name, value);
        return await replica.Client.SendAsync(request);
    }
}
