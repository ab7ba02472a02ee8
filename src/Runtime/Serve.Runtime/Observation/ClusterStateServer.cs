using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Serve.Runtime.Http;

namespace Serve.Runtime.Observation;

/// <summary>State API of one cluster on its own loopback port, protected by a token.</summary>
internal sealed class ClusterStateServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ClusterStateServer(WebApplication app) => _app = app;

    public string Address => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    public static async Task<ClusterStateServer> StartAsync(Cluster cluster, string token, CancellationToken cancellationToken)
    {
        // Empty builder: no configuration, no logging, and no signal handlers in the user's program.
        var builder = WebApplication.CreateEmptyBuilder(new() { ApplicationName = "serve-state", ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        builder.Services.AddRoutingCore().AddSingleton<IHostLifetime, EmbeddedHostLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMilliseconds(200));
        var app = builder.Build();
        app.UseRequestGuard(new() { Token = token });
        app.Use(AnswerWrongQueries);
        app.MapClusterState(() => cluster);
        try
        {
            await app.StartAsync(cancellationToken);
            return new(app);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await _app.StopAsync(limit.Token);
        await _app.DisposeAsync();
    }

    private static async Task AnswerWrongQueries(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (DefinitionException wrong)
        {
            await ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status400BadRequest, ErrorReason.BadInput, wrong.Message);
        }
        catch (ObjectDisposedException ended)
        {
            await ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, ErrorReason.Unreachable, $"The cluster was disposed: {ended.Message}");
        }
    }
}
