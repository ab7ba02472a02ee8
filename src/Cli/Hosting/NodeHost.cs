using System.Net.Sockets;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Prometheus;
using Serve.Admin;
using Serve.Controller;
using Serve.Controller.Builds;
using Serve.Controller.Packages;
using Serve.Gateway.Inference;
using Serve.Gateway.Listening;
using Serve.Gateway;
using Serve.Runtime;
using Serve.Specs;

namespace Serve.Cli.Hosting;

/// <summary>
/// One node: runtime, controller and gateway in one container, the admin API on a server of its own over the same singletons. Owns them all
/// and ends them in order.
/// </summary>
internal sealed class NodeHost : IAsyncDisposable
{
    private static readonly TimeSpan ServerStopTimeout = TimeSpan.FromSeconds(3);
    private readonly NodeStateDirectory _directory;
    private readonly WebApplication _gateway;
    private readonly WebApplication _admin;
    private bool _disposed;

    private NodeHost(NodeStateDirectory directory, WebApplication gateway, WebApplication admin)
    {
        this._directory = directory;
        this._gateway = gateway;
        this._admin = admin;
    }

    /// <summary>Takes what is wanted and tells what is.</summary>
    public ServeController Controller => _gateway.Services.GetRequiredService<ServeController>();

    /// <summary>Where the servers really listen.</summary>
    public NodeListenAddresses Addresses => _gateway.Services.GetRequiredService<NodeListenAddresses>();

    /// <summary>The folder that keeps its state.</summary>
    public string StatePath => _directory.Root;

    /// <summary>Starts a node: locks its state, listens, and brings back what was deployed.</summary>
    /// <param name="settings">How it is to run.</param>
    /// <param name="http">How its gateway is to listen.</param>
    /// <param name="statePath">Keeps its state.</param>
    /// <param name="buildRoot">Where code is built; null for a folder of the state.</param>
    /// <param name="progress">Is told of builds.</param>
    /// <param name="console">How it logs.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The node.</returns>
    /// <exception cref="CommandFailedException">A port is taken, or an address cannot be listened on.</exception>
    /// <exception cref="StateStoreException">The state cannot be used.</exception>
    public static async Task<NodeHost> StartAsync(
        NodeHostSettings settings, HttpOptions http, string statePath, string? buildRoot, IBuildProgressListener progress, NodeConsoleLogging console, CancellationToken cancellationToken)
    {
        var directory = NodeStateDirectory.Open(statePath);
        var gateway = BuildGateway(settings, http, directory, buildRoot ?? directory.Builds, progress, console);
        var node = new NodeHost(directory, gateway, BuildAdmin(settings, gateway.Services, console));
        try
        {
            // Opens the database: a damaged one is told before anything listens.
            node.Controller.Draining.Register(gateway.Lifetime.StopApplication);
            node.Addresses.Gateway = await ListenAsync(gateway, http.Host, http.Port, "--http-port", cancellationToken);
            node.Addresses.Admin = await ListenAsync(node._admin, settings.AdminHost, settings.AdminPort, "--admin-port", cancellationToken);
            node.Controller.Start();
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>Drains: load balancers are told, nothing new is taken on, and what is ongoing is finished.</summary>
    /// <param name="cancellationToken">Cuts it short.</param>
    /// <returns>What was ended.</returns>
    public Task<NodeShutdownReport> DrainAsync(CancellationToken cancellationToken) => Controller.ShutdownAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        await StopAsync(_gateway);
        await StopAsync(_admin);
        // The container ends what it made, newest first: controller, runtime with its workers, store.
        await _gateway.DisposeAsync();
        await _admin.DisposeAsync();
        _directory.Dispose();
    }

    private static WebApplication BuildGateway(
        NodeHostSettings settings, HttpOptions http, NodeStateDirectory directory, string buildRoot, IBuildProgressListener progress, NodeConsoleLogging console)
    {
        var builder = NewServer(console);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureServeGateway(http));
        var nodeId = $"node-{Guid.NewGuid():N}"[..13];
        var store = new ApplicationPackageStore(directory.Packages);
        builder.Services
            .AddServeRuntime(new NodeRuntimeOptions
            {
                NodeId = nodeId,
                Resources = settings.Resources,
                WorkerCommand = NodeProcessServices.WorkerCommand(),
                TaskIsolation = settings.Isolation == IsolationMode.None ? Isolation.None : Isolation.Process,
                WorkerLogDirectory = Path.Combine(directory.Logs, "workers"),
            })
            .AddServeProcess()
            .AddSingleton<IApplicationSource>(new PackageApplicationSource(new ApplicationPackageBuilder(store, buildRoot, progress, TimeProvider.System), store, new PackageInspector()))
            .AddServeController(new ControllerOptions { NodeId = nodeId, DefaultIsolation = settings.Isolation, HttpOptions = http }, directory)
            .AddSingleton<IModelRepository, ControllerModelRepository>()
            .AddServeGateway(new GatewayOptions
            {
                Http = http,
                Guard = settings.Guard(http.Host),
                IncludeStack = console.IsDevelopment,
            });
        var app = builder.Build();
        app.UseServeGateway();
        return app;
    }

    private static WebApplication BuildAdmin(NodeHostSettings settings, IServiceProvider node, NodeConsoleLogging console)
    {
        var builder = NewServer(console);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(Address(settings.AdminHost), settings.AdminPort);
        });
        // By reference: the gateway's container made them and ends them.
        builder.Services
            .AddSingleton(node.GetRequiredService<ServeController>())
            .AddSingleton(node.GetRequiredService<ControllerOptions>())
            .AddSingleton(node.GetRequiredService<NodeStateDirectory>())
            .AddSingleton(node.GetRequiredService<NodeListenAddresses>())
            .AddSingleton(node.GetRequiredService<INodeAgent>())
            .AddSingleton(node.GetRequiredService<Cluster>())
            .AddSingleton(node.GetRequiredService<IApplicationSource>())
            .AddSingleton(node.GetRequiredService<CollectorRegistry>())
            .AddSingleton(TimeProvider.System)
            .AddRouting()
            .AddServeAdmin();
        var app = builder.Build();
        app.MapServeAdmin(settings.Guard(settings.AdminHost));
        return app;
    }

    private static WebApplicationBuilder NewServer(NodeConsoleLogging console)
    {
        // Nothing by default: no configuration files to watch, no logging to every sink.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions
        {
            ApplicationName = "serve",
            ContentRootPath = AppContext.BaseDirectory,
            EnvironmentName = console.IsDevelopment ? Environments.Development : Environments.Production,
        });
        builder.WebHost.UseKestrelCore();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ServerStopTimeout);
        console.Configure(builder.Logging);
        return builder;
    }

    private static async Task<string> ListenAsync(WebApplication app, string host, int port, string option, CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            throw new CommandFailedException($"Port {port} on {host} is in use. Choose another with {option}; 0 takes a free one.", inner: e);
        }
        catch (SocketException e)
        {
            throw new CommandFailedException(
                $"{host}:{port} cannot be listened on ({e.Message}). Choose another with {option} or {option.Replace("port", "host", StringComparison.Ordinal)}.", inner: e);
        }

        return app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
    }

    private static IPAddress Address(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? IPAddress.Loopback
        : IPAddress.TryParse(host.Trim('[', ']'), out var address) ? address
        : throw new CommandFailedException($"--admin-host {host}: expected an IP address or 'localhost'.", CliExitCode.Usage);

    private static async Task StopAsync(WebApplication app)
    {
        using var limit = new CancellationTokenSource(ServerStopTimeout);
        await app.StopAsync(limit.Token);
    }
}
