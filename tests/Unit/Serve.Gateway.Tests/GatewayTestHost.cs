using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serve.Calls;
using Serve.Nodes;
using Serve.Routes;
using Serve.Routing;
using Serve.Runtime;

namespace Serve.Gateway.Tests;

/// <summary>A gateway on a free port with a test's replicas.</summary>
internal sealed class GatewayTestHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, ICallTarget> _actors;
    private readonly Dictionary<string, DeploymentRoute> _deployments = [];
    private readonly Dictionary<string, ApplicationRoute> _applications = [];
    private long _version;

    private GatewayTestHost(WebApplication app, ConcurrentDictionary<string, ICallTarget> actors)
    {
        _app = app;
        _actors = actors;
        Client = new HttpClient(new SocketsHttpHandler { ActivityHeadersPropagator = null, UseProxy = false }) { BaseAddress = Address };
    }

    public Uri Address => new(_app.Urls.First());

    public HttpClient Client { get; }

    public RouteTable Table => _app.Services.GetRequiredService<RouteTable>();

    public ConcurrentQueue<string> Logged { get; private init; } = new();

    public static async Task<GatewayTestHost> StartAsync(
        GatewayOptions? options = null, Action<IServiceCollection, GatewayOptions>? services = null, Action<IApplicationBuilder>? protocols = null, bool isStarted = true)
    {
        options ??= new GatewayOptions();
        options = options with { Http = options.Http with { Port = 0 } };
        var actors = new ConcurrentDictionary<string, ICallTarget>();
        var builder = WebApplication.CreateSlimBuilder();
        var logged = new ConcurrentQueue<string>();
        builder.Logging.ClearProviders();
        builder.Logging.SetMinimumLevel(Microsoft.Extensions.Logging.LogLevel.Debug).AddProvider(new GatewayLogRecorder(logged));
        builder.Services.AddServeRouting(_ => route => actors[route.ReplicaId]);
        builder.Services.AddSingleton<IActorReferenceResolver>(new FakeActorDirectory());
        builder.Services.AddServeGateway(options);
        services?.Invoke(builder.Services, options);
        var app = builder.Build();
        app.UseServeGateway(protocols);
        if (isStarted)
            app.Services.GetRequiredService<GatewayReadiness>().MarkStarted();
        await app.StartAsync();
        return new GatewayTestHost(app, actors) { Logged = logged };
    }

    public InProcessTestReplica Local(string id) => (InProcessTestReplica)_actors.GetOrAdd(id, _ => new InProcessTestReplica());

    public GatewayTestHost Remote(string id, HostProcessAddress process)
    {
        _actors[id] = new ForwardedTestReplica(process);
        return this;
    }

    /// <summary>Deploys an application of one deployment. Its replicas are local unless they have been made remote.</summary>
    public GatewayTestHost Deploy(string application, string? prefix, string replicas, int max = 100, int queue = -1, string? unavailable = null)
    {
        var ids = replicas.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        foreach (var id in ids)
            _actors.GetOrAdd(id, _ => new InProcessTestReplica());
        _applications[application] = new ApplicationRoute(application, "Main", prefix);
        _deployments[application] = new DeploymentRoute
        {
            Application = application,
            Deployment = "Main",
            MaxOngoingRequests = max,
            MaxQueuedRequests = queue,
            Unavailable = unavailable,
            Replicas = [.. ids.Select(id => new ReplicaRoute(id, AddressOf(_actors[id] is ForwardedTestReplica forwarded ? forwarded.Process : new("node"))))],
        };
        return this;
    }

    public GatewayTestHost Route(string application, RoutingRule rule)
    {
        _deployments[application] = _deployments[application] with { Routing = rule };
        return this;
    }

    /// <summary>Adds a second revision to an application, or removes it.</summary>
    public GatewayTestHost Canary(string application, CanaryRoute? canary, string replicas = "")
    {
        if (canary is null)
            return Split(application, null).Delete(CanaryName.Of(application));
        Deploy(CanaryName.Of(application), null, replicas);
        _applications.Remove(CanaryName.Of(application));
        return Split(application, canary);
    }

    private GatewayTestHost Split(string application, CanaryRoute? canary)
    {
        _applications[application] = _applications[application] with { Canary = canary };
        return this;
    }

    public GatewayTestHost Delete(string application)
    {
        _applications.Remove(application);
        _deployments.Remove(application);
        return this;
    }

    /// <summary>Publishes the routes like the controller and waits for the acknowledgement.</summary>
    public async Task PublishAsync()
    {
        var snapshot = new RouteSnapshot { Version = new(1, ++_version), Applications = [.. _applications.Values], Deployments = [.. _deployments.Values] };
        var payload = JsonSerializer.SerializeToUtf8Bytes(snapshot, ServeJson.Options);
        foreach (var subscriber in _app.Services.GetServices<ITopicSubscriber>())
            await subscriber.OnPublishedAsync(new(RouteSnapshot.Topic, "", snapshot.Version, payload), default).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
    }

    private static ReplicaAddress AddressOf(HostProcessAddress process) =>
        new(new("n1"), process.ProcessId, process.HttpAddress, process.CallAddress, process.CallAddress, process.Token);

    public Task StopAsync() => _app.StopAsync();

    public T Service<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }

    private sealed class FakeActorDirectory : IActorReferenceResolver
    {
        public string ProcessId => "node";

        public ICallTarget Resolve(ActorId id, HostProcessAddress process) => throw new NotSupportedException();
    }
}
