using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Prometheus;
using Serve.Admin;
using Serve.Controller;
using Serve.Controller.AdminApi;
using Serve.Controller.Applications;
using Serve.Controller.Builds;
using Serve.Controller.Packages;
using Serve.Controller.Store;
using Serve.Dashboard;
using Serve.Dashboard.Sources;
using Serve.Gateway;
using Serve.Gateway.Listening;
using Serve.Inference;
using Serve.Inference.Models;
using Serve.Nodes;
using Serve.Runtime;
using Serve.Runtime.Onnx;
using Serve.Specs;

namespace Serve.Cli.Hosting;

/// <summary>
/// A node: runtime, controller and gateway in one service container, and the admin API on a server of its own with the same singletons. Owns all of them and
/// stops them in order.
/// </summary>
internal sealed partial class NodeHost : IAsyncDisposable
{
    private static readonly TimeSpan ServerStopTimeout = TimeSpan.FromSeconds(3);
    private readonly NodeStateDirectory _directory;
    private readonly WebApplication _gateway;
    private readonly WebApplication _admin;
    private readonly bool _hasDashboard;
    private NodeAnnouncer? _announcer;
    private bool _disposed;

    private NodeHost(NodeStateDirectory directory, WebApplication gateway, WebApplication admin, bool hasDashboard)
    {
        _hasDashboard = hasDashboard;
        _directory = directory;
        _gateway = gateway;
        _admin = admin;
    }

    /// <summary>Accepts desired-state changes and reports status.</summary>
    public ServeController Controller => _gateway.Services.GetRequiredService<ServeController>();

    /// <summary>Addresses that the servers listen on.</summary>
    public NodeListenAddresses Addresses => _gateway.Services.GetRequiredService<NodeListenAddresses>();

    /// <summary>State directory.</summary>
    public string StatePath => _directory.Root;

    /// <summary>Address of the dashboard; null if the node has none.</summary>
    public string? DashboardAddress => _hasDashboard ? Addresses.Admin : null;

    /// <summary>The file with the token that this node created; null if another token is configured, or none.</summary>
    public string? TokenFile { get; private init; }

    /// <summary>Starts a node: locks its state directory, listens, and restores its applications.</summary>
    /// <param name="settings">Settings of the node.</param>
    /// <param name="http">HTTP settings of the gateway.</param>
    /// <param name="statePath">State directory.</param>
    /// <param name="buildRoot">Root of the build folders; null for a folder of the state directory.</param>
    /// <param name="progress">Receives the progress of builds.</param>
    /// <param name="console">Logging of the node.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <exception cref="CommandFailedException">A port is in use, or an address cannot be bound.</exception>
    /// <exception cref="StateStoreException">The state directory cannot be used.</exception>
    public static async Task<NodeHost> StartAsync(
        NodeHostSettings settings, HttpOptions http, string statePath, string? buildRoot, IBuildProgressListener progress, NodeConsoleLogging console, CancellationToken cancellationToken)
    {
        var directory = NodeStateDirectory.Open(statePath, settings.NodeName);

        // Processes that user code had started in a node of this directory, which was killed.
        DescendantProcesses.KillAll(MarkOf(directory));
        DescendantProcesses.MarkChildren(MarkOf(directory));
        var tokenFile = settings.Token is null && !settings.IsOpen ? directory.Token : null;
        if (tokenFile is not null)
            settings = settings with { Token = CreateToken(directory) };
        var gateway = BuildGateway(settings, http, directory, buildRoot ?? directory.Builds, progress, console);
        var node = new NodeHost(directory, gateway, BuildAdmin(settings, http, gateway.Services, console), settings.HasDashboard) { TokenFile = tokenFile };
        try
        {
            if (GlobalizationModeSelector.DescribeInvariantMode() is { } reason)
                Log.InvariantGlobalization(gateway.Services.GetRequiredService<ILogger<NodeHost>>(), reason);
            if (DescriptorBudget.OfProcess is { IsSmall: true } descriptors)
                Log.FewDescriptors(gateway.Services.GetRequiredService<ILogger<NodeHost>>(), descriptors.Limit, descriptors.MaxConnections);
            // Opens the database, so that a damaged one is reported before the servers listen.
            node.Controller.Draining.Register(gateway.Lifetime.StopApplication);
            node.Controller.Leaving.Register(node.Readiness.MarkLeaving);
            node.Addresses.Gateway = await ListenAsync(gateway, http.Host, http.Port, "--http-port", cancellationToken);
            node.Addresses.Admin = await ListenAsync(node._admin, settings.AdminHost, settings.AdminPort, "--admin-port", cancellationToken);
            await node.Controller.StartAsync(cancellationToken);
            if (tokenFile is not null)
                node._announcer = NodeAnnouncer.Announce(node.Addresses, tokenFile, TimeProvider.System, gateway.Services.GetRequiredService<ILogger<NodeAnnouncer>>());
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>Reports the node as ready as soon as everything that is deployed now has been started, or has failed.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task BecomeReadyAsync(CancellationToken cancellationToken)
    {
        await Controller.WhenSettledAsync(cancellationToken);
        Readiness.MarkStarted();
    }

    /// <summary>Creates a watcher that applies the config files of a directory.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="settings">Settings of the command line, which override those of the files.</param>
    public ConfigDirectoryWatcher WatchConfig(string directory, NodeHostSettings settings) =>
        ActivatorUtilities.CreateInstance<ConfigDirectoryWatcher>(_gateway.Services, directory, (Func<HttpOptions, HttpOptions>)settings.Http);

    /// <summary>Drains the node: health checks fail, new requests are refused, ongoing requests finish.</summary>
    /// <param name="cancellationToken">Aborts the drain.</param>
    public Task<NodeShutdownReport> DrainAsync(CancellationToken cancellationToken) => Controller.ShutdownAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        // Before the ports are free: another user may listen on them next.
        _announcer?.Dispose();
        await StopAsync(_gateway);
        await StopAsync(_admin);
        // The container disposes its singletons in reverse order of creation: controller, runtime with its workers, store.
        await _gateway.DisposeAsync();
        await _admin.DisposeAsync();
        DescendantProcesses.KillAll(MarkOf(_directory));
        _directory.Dispose();
    }

    private static string MarkOf(NodeStateDirectory directory) =>
        $"node-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(directory.Root)))[..32]}";

    private static string CreateToken(NodeStateDirectory directory)
    {
        try
        {
            return NodeTokenFile.ReadOrCreate(directory.Token);
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    private GatewayReadiness Readiness => _gateway.Services.GetRequiredService<GatewayReadiness>();

    private static WebApplication BuildGateway(
        NodeHostSettings settings, HttpOptions http, NodeStateDirectory directory, string buildRoot, IBuildProgressListener progress, NodeConsoleLogging console)
    {
        var builder = NewServer(console);
        var store = new ApplicationPackageStore(directory.Packages);
        builder.Services
            .AddServeRuntime(new NodeRuntimeOptions
            {
                NodeId = directory.NodeId.Value,
                Resources = settings.Resources,
                WorkerCommand = NodeProcessServices.WorkerCommand(directory.Root),
                TaskIsolation = settings.Isolation == IsolationMode.None ? Isolation.None : Isolation.Process,
                WorkerLogDirectory = Path.Combine(directory.Logs, "workers"),
            })
            .AddServeProcess(directory.Root)
            .AddSingleton<IApplicationSource>(new PackageApplicationSource(new ApplicationPackageBuilder(store, buildRoot, progress, TimeProvider.System, NodeProcessServices.SupervisorCommand()), store, new PackageInspector()))
            .AddServeController(new ControllerOptions
            {
                NodeId = directory.NodeId,
                DefaultIsolation = settings.Isolation,
                HttpOptions = http,
                SpareWorkers = settings.SpareWorkers ?? (NodeHostSettings.HasSpareMemory ? 1 : 0),
                MaxCachedBytes = settings.CachedBytes ?? (NodeHostSettings.HasSpareMemory ? 1L << 30 : 0),
            }, directory)
            .AddSingleton<IAutoscalingPolicyLoader, PackageAutoscalingPolicyLoader>()
            .AddSingleton(static _ => new OnnxModelProbe(NodeProcessServices.ProbeCommand()))
            .AddSingleton<IModelRepository, ControllerModelRepository>()
            .AddServeInference(new(http, settings.Guard(http)))
            .AddServeGateway(new GatewayOptions
            {
                Http = http,
                Guard = settings.Guard(http),
                IncludeStack = console.IsDevelopment,
            });
        var app = builder.Build();
        app.UseServeGateway(static gateway => gateway.UseOpenInference());
        return app;
    }

    private static WebApplication BuildAdmin(NodeHostSettings settings, HttpOptions http, IServiceProvider node, NodeConsoleLogging console)
    {
        var builder = NewServer(console);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = DescriptorBudget.OfProcess?.MaxAdminConnections;
            kestrel.Listen(Address(settings.AdminHost), settings.AdminPort);
        });
        // Instances of the gateway's container, which disposes them.
        builder.Services
            .AddSingleton(node.GetRequiredService<ServeController>())
            .AddSingleton(node.GetRequiredService<ControllerOptions>())
            .AddSingleton(node.GetRequiredService<NodeStateDirectory>())
            .AddSingleton(node.GetRequiredService<NodeListenAddresses>())
            .AddSingleton(node.GetRequiredService<INodeDirectory>())
            .AddSingleton(node.GetRequiredService<Cluster>())
            .AddSingleton(node.GetRequiredService<IApplicationSource>())
            .AddSingleton(node.GetRequiredService<CollectorRegistry>())
            .AddSingleton(TimeProvider.System)
            .AddSingleton(console.Buffer)
            .AddRouting()
            .AddServeAdmin();
        if (settings.HasDashboard)
        {
            builder.Services.AddServeDashboard(new()
            {
                Guard = settings.Guard(http),
                IsReadOnly = settings.IsDashboardReadOnly,
                NodeId = node.GetRequiredService<ControllerOptions>().NodeId.Value,
            });
            builder.Services.AddSingleton(node.GetRequiredService<IModelRepository>()).AddSingleton<IDashboardSource, NodeDashboardSource>();
        }

        var app = builder.Build();
        if (settings.HasDashboard)
            app.UseServeDashboard();
        app.MapServeAdmin(settings.Guard(http));
        if (settings.HasDashboard)
            app.MapServeDashboard();
        return app;
    }

    private static WebApplicationBuilder NewServer(NodeConsoleLogging console)
    {
        // Without defaults: no configuration files, no other logging providers.
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
            throw new CommandFailedException($"Port {port} on {host} is in use. Choose another with {option}; 0 selects a free one.", inner: e);
        }
        catch (SocketException e)
        {
            throw new CommandFailedException(
                $"Cannot listen on {host}:{port}: {e.Message}. Choose another address with {option} or {option.Replace("port", "host", StringComparison.Ordinal)}.", inner: e);
        }

        return app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
    }

    private static IPAddress Address(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? IPAddress.Loopback
        : IPAddress.TryParse(host.Trim('[', ']'), out var address) ? address
        : throw new CommandFailedException($"--admin-host must be an IP address or 'localhost', but was '{host}'.", CliExitCode.Usage);

    private static async Task StopAsync(WebApplication app)
    {
        using var limit = new CancellationTokenSource(ServerStopTimeout);
        await app.StopAsync(limit.Token);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 8004, Level = LogLevel.Warning, Message = "The process may open {Limit} files, so at most {Connections} client connections are accepted at a time. Raise the limit (ulimit -n, LimitNOFILE of a service) if there are more clients")]
        public static partial void FewDescriptors(ILogger logger, int limit, int connections);

        [LoggerMessage(EventId = 8000, Level = LogLevel.Warning, Message = "Invariant globalization: {Reason}")]
        public static partial void InvariantGlobalization(ILogger logger, string reason);
    }
}
