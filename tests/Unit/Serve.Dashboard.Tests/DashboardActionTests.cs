using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serve.Dashboard.Sources;

namespace Serve.Dashboard.Tests;

public sealed class DashboardActionTests
{
    private readonly FakeDashboardSource _source = new();

    [Fact]
    public async Task Console_Request_ReachesTheGatewayWithoutTheCallersSecrets()
    {
        await using var gateway = await StartGatewayAsync();
        await using var dashboard = await StartAsync();
        var cookie = await dashboard.SignInAsync();

        using var response = await dashboard.SendAsync(HttpMethod.Post, "/api/v1/console",
            new { method = "POST", path = "/echo?x=1", headers = new Dictionary<string, string> { ["content-type"] = "text/x", ["x-own"] = "y", ["cookie"] = "z" }, body = "Grüße" },
            ("Cookie", cookie), (DashboardOptions.ChangeHeader, "1"));

        var result = (await response.Content.ReadFromJsonAsync<JsonObject>())!;
        Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal((202, false), ((int)result["status"]!, (bool)result["is_truncated"]!));
        Assert.Equal("yes", (string?)result["headers"]!["x-answer"]);
        var echo = JsonNode.Parse((string)result["body"]!)!;
        Assert.Equal(("POST", "?x=1", "Grüße", "text/x", "y"),
            ((string?)echo["method"], (string?)echo["query"], (string?)echo["body"], (string?)echo["type"], (string?)echo["own"]));
        Assert.Equal(("", ""), ((string?)echo["cookie"], (string?)echo["authorization"]));
    }

    [Fact]
    public async Task Console_LargeOrBinaryResponse_IsBounded()
    {
        await using var gateway = await StartGatewayAsync();
        await using var dashboard = await StartAsync();
        var cookie = await dashboard.SignInAsync();

        var large = await SendAsync(dashboard, cookie, new { path = "/large" });
        var binary = await SendAsync(dashboard, cookie, new { path = "/binary" });

        Assert.True((bool)large["is_truncated"]!);
        Assert.InRange(((string)large["body"]!).Length, 1 << 18, 1 << 20);
        Assert.Equal("/wD+", (string?)binary["body_base64"]);
        Assert.Null(binary["body"]);
    }

    [Theory]
    [InlineData("http://evil.example/")]
    [InlineData("//evil.example/")]
    [InlineData("/\\\\evil.example/")]
    [InlineData("@evil.example/")]
    [InlineData("/-/call")]
    [InlineData("/x/../-/call")]
    [InlineData("")]
    public async Task Console_NoPathAtTheGateway_IsRefused(string path)
    {
        await using var gateway = await StartGatewayAsync();
        await using var dashboard = await StartAsync();
        var cookie = await dashboard.SignInAsync();

        using var response = await dashboard.SendAsync(HttpMethod.Post, "/api/v1/console", new { path }, ("Cookie", cookie), (DashboardOptions.ChangeHeader, "1"));

        // The admin API converts the exception to a problem document; the server of this test does not.
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
    }

    [Fact]
    public async Task Console_WithoutTheHeaderOrReadOnly_IsRefused()
    {
        await using var gateway = await StartGatewayAsync();
        await using var dashboard = await StartAsync();
        await using var readOnly = await DashboardTestFixture.StartAsync(isReadOnly: true, configure: services => services.AddSingleton<IDashboardSource>(_source));

        using var form = await dashboard.SendAsync(HttpMethod.Post, "/api/v1/console", new { path = "/echo" }, ("Cookie", await dashboard.SignInAsync()));
        using var reader = await readOnly.SendAsync(HttpMethod.Post, "/api/v1/console", new { path = "/echo" }, ("Cookie", await readOnly.SignInAsync()), (DashboardOptions.ChangeHeader, "1"));

        Assert.Equal(HttpStatusCode.Forbidden, form.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, reader.StatusCode);
    }

    [Fact]
    public async Task Models_LoadAndUnload_ReachTheRepository()
    {
        await using var dashboard = await StartAsync();
        (string, string) authorization = ("Authorization", "Bearer " + DashboardTestFixture.Token);

        using var load = await dashboard.SendAsync(HttpMethod.Post, "/api/v1/models/digits/load", null, authorization);
        using var unload = await dashboard.SendAsync(HttpMethod.Post, "/api/v1/models/digits/unload", null, authorization);
        using var unknown = await dashboard.SendAsync(HttpMethod.Post, "/api/v1/models/unknown/load", null, authorization);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.NotFound), (load.StatusCode, unload.StatusCode, unknown.StatusCode));
        Assert.Equal(["digits True", "digits False"], _source.ModelChanges);
    }

    private Task<DashboardTestFixture> StartAsync() => DashboardTestFixture.StartAsync(configure: services => services.AddSingleton<IDashboardSource>(_source));

    private static async Task<JsonObject> SendAsync(DashboardTestFixture dashboard, string cookie, object request)
    {
        using var response = await dashboard.SendAsync(HttpMethod.Post, "/api/v1/console", request, ("Cookie", cookie), (DashboardOptions.ChangeHeader, "1"));
        return (await response.Content.ReadFromJsonAsync<JsonObject>())!;
    }

    private async Task<WebApplication> StartGatewayAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapPost("/echo", async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            context.Response.StatusCode = 202;
            context.Response.Headers["X-Answer"] = "yes";
            await context.Response.WriteAsJsonAsync(new
            {
                method = context.Request.Method, query = context.Request.QueryString.Value, body = await reader.ReadToEndAsync(), type = context.Request.ContentType,
                own = context.Request.Headers["x-own"].ToString(), cookie = context.Request.Headers.Cookie.ToString(), authorization = context.Request.Headers.Authorization.ToString(),
            });
        });
        app.MapGet("/large", () => Results.Text(new string('ü', 1 << 20)));
        app.MapGet("/binary", () => Results.Bytes([255, 0, 254]));
        await app.StartAsync();
        _source.Gateway = app.Urls.First();
        return app;
    }
}
