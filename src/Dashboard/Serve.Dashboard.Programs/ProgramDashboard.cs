using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Serve.Dashboard.Sources;
using Serve.Http;
using Serve.Runtime.Clusters;

namespace Serve.Dashboard.Programs;

/// <summary>The dashboard of a program's cluster, on a server of its own. Started by <c>Cluster.Init</c> if <see cref="ClusterOptions.Dashboard"/> is set.</summary>
public sealed class ProgramDashboard : IClusterDashboard
{
    private const int DefaultPort = 8265;
    private const int PortAttempts = 100;
    private readonly WebApplication _app;

    private ProgramDashboard(WebApplication app, string url)
    {
        _app = app;
        Url = url;
    }

    /// <inheritdoc/>
    public string Url { get; }

    /// <summary>Starts the dashboard of a cluster.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <returns>The dashboard; the cluster disposes it.</returns>
    /// <exception cref="IOException">The port is in use.</exception>
    public static async Task<IClusterDashboard> StartAsync(DriverCluster cluster)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        var options = cluster.Options;
        var first = options.DashboardPort ?? DefaultPort;
        for (var port = first; ; port++)
        {
            var code = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
            var app = Build(cluster, options.DashboardHost, port, code);
            try
            {
                await app.StartAsync();
                var address = app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
                return new ProgramDashboard(app, $"{address}/#code={code}");
            }
            catch (IOException taken) when (taken.InnerException is AddressInUseException && options.DashboardPort is null && port < first + PortAttempts)
            {
                // As in Ray: the next free port, unless the program asks for one.
                await app.DisposeAsync();
            }
            catch
            {
                await app.DisposeAsync();
                throw;
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(3));
        await _app.StopAsync(limit.Token);
        await _app.DisposeAsync();
    }

    private static WebApplication Build(DriverCluster cluster, string host, int port, string code)
    {
        var builder = WebApplication.CreateEmptyBuilder(new() { ApplicationName = "serve", ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? IPAddress.Loopback : IPAddress.Parse(host.Trim('[', ']')), port);
        });
        // Other users of the machine can open the port, but do not see the address with the code.
        var guard = new RequestGuardOptions { Token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)) };
        builder.Services.AddSingleton(TimeProvider.System).AddSingleton<IDashboardSource>(new ProgramDashboardSource(cluster)).AddRouting().AddServeDashboard(new()
        {
            Guard = guard,
            NodeId = ProgramDashboardSource.Name,
            Kind = DashboardKind.Program,
            SignInCode = code,
        });
        var app = builder.Build();
        app.UseServeDashboard();
        app.Use((context, next) => RequestGuard.Check(context.Request, guard) is { } refusal
            ? ProblemDetailsWriter.WriteAsync(context, refusal.Status, refusal.Reason, refusal.Detail)
            : next(context));
        app.Use(ProgramStateEndpoints.ReportErrorsAsync);
        app.UseRouting();
        app.MapServeDashboard();
        app.MapProgramState(cluster);
        return app;
    }
}
