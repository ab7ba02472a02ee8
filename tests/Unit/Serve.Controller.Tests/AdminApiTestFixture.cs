using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Prometheus;
using Serve.Controller.AdminApi;
using Serve.Controller.Applications;
using Serve.Controller.Logs;
using Serve.Http;
using Serve.Nodes;

namespace Serve.Controller.Tests;

/// <summary>The admin API on a real Kestrel server, for a controller with a fake node.</summary>
internal sealed class AdminApiTestFixture : IAsyncDisposable
{
    private readonly WebApplication _app;

    private AdminApiTestFixture(ControllerTestFixture node, RequestGuardOptions guard)
    {
        Node = node;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(node.Controller).AddSingleton(node.Options).AddSingleton(node.State)
            .AddSingleton<INodeDirectory>(node.Nodes).AddSingleton<IApplicationSource>(node.Source)
            .AddSingleton<CollectorRegistry>(node.Registry).AddSingleton(TimeProvider.System).AddSingleton(Logs).AddServeAdmin();
        _app = builder.Build();
        _app.MapServeAdmin(guard);
    }

    public ControllerTestFixture Node { get; }

    /// <summary>Log of the node's process.</summary>
    public NodeLogBuffer Logs { get; } = new(TimeProvider.System);

    public HttpClient Client { get; } = new();

    public static async Task<AdminApiTestFixture> StartAsync(RequestGuardOptions? guard = null, ControllerOptions? options = null)
    {
        var fixture = new AdminApiTestFixture(await ControllerTestFixture.StartAsync(options: options), guard ?? new());
        await fixture._app.StartAsync();
        fixture.Client.BaseAddress = new(fixture._app.Urls.First());
        return fixture;
    }

    public Task<HttpResponseMessage> PutAsync(string path, string json) =>
        Client.PutAsync(path, new StringContent(json, Encoding.UTF8, "application/json"));

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
        await Node.DisposeAsync();
    }
}
