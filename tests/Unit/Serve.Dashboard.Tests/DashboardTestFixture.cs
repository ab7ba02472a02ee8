using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Serve.Dashboard.Sources;
using Serve.Http;

namespace Serve.Dashboard.Tests;

/// <summary>A dashboard on a real Kestrel server, in front of an API with one resource, <c>/api/v1/thing</c>.</summary>
internal sealed class DashboardTestFixture : IAsyncDisposable
{
    public const string Token = "0123456789abcdef0123456789abcdef";
    private readonly WebApplication _app;

    private DashboardTestFixture(DashboardOptions options, Action<IServiceCollection>? configure)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<TimeProvider>(Time).AddServeDashboard(options);
        builder.Services.AddSingleton<IDashboardSource, FakeDashboardSource>();
        configure?.Invoke(builder.Services);
        _app = builder.Build();
        _app.UseServeDashboard();
        _app.Use((context, next) => RequestGuard.Check(context.Request, options.Guard) is { } refusal
            ? ProblemDetailsWriter.WriteAsync(context, refusal.Status, refusal.Reason, refusal.Detail)
            : next(context));
        _app.UseRouting();
        _app.MapMethods("/api/v1/thing", ["GET", "POST"], static () => Results.Text("thing"));
        _app.MapServeDashboard();
        // Without a jar, so that tests see and send cookies themselves.
        Client = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false, AutomaticDecompression = DecompressionMethods.None });
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 12, 1, 10, 0, 0, TimeSpan.Zero));

    public HttpClient Client { get; }

    public IServiceProvider Services => _app.Services;

    public static async Task<DashboardTestFixture> StartAsync(string? token = Token, bool isReadOnly = false, Action<IServiceCollection>? configure = null)
    {
        var fixture = new DashboardTestFixture(new() { Guard = new() { Token = token }, IsReadOnly = isReadOnly, NodeId = "node-a" }, configure);
        await fixture._app.StartAsync();
        fixture.Client.BaseAddress = new(fixture._app.Urls.First());
        return fixture;
    }

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, object? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = JsonContent.Create(body);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    /// <summary>Signs in and returns the value of the <c>Cookie</c> header.</summary>
    public async Task<string> SignInAsync()
    {
        using var response = await SendAsync(HttpMethod.Post, "/api/v1/session", new { token = Token }, (DashboardOptions.ChangeHeader, "1"));
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        return response.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}
