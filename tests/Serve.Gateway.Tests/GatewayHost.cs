using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serve.Gateway.Listening;
using Serve.Routes;
using Serve.Routing;
using Serve.Runtime;

namespace Serve.Gateway.Tests;

/// <summary>A real gateway on a free port, over replicas that the test makes.</summary>
internal sealed class GatewayHost : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentDictionary<string, ActorHandle> actors;
    private readonly Dictionary<string, DeploymentRoute> deployments = [];
    private readonly Dictionary<string, ApplicationRoute> applications = [];
    private long version;

    private GatewayHost(WebApplication app, ConcurrentDictionary<string, ActorHandle> actors)
    {
        this.app = app;
        this.actors = actors;
        Client = new HttpClient(new SocketsHttpHandler { ActivityHeadersPropagator = null, UseProxy = false }) { BaseAddress = Address };
    }

    public Uri Address => new(app.Urls.First());

    public HttpClient Client { get; }

    public RouteTable Table => app.Services.GetRequiredService<RouteTable>();

    public ConcurrentQueue<string> Logged { get; private init; } = new();

    public static async Task<GatewayHost> StartAsync(GatewayOptions? options = null, TimeSpan? headersTimeout = null)
    {
        options ??= new GatewayOptions();
        options = options with { Http = options.Http with { Port = 0 } };
        var actors = new ConcurrentDictionary<string, ActorHandle>();
        var builder = WebApplication.CreateSlimBuilder();
        var logged = new ConcurrentQueue<string>();
        builder.Logging.ClearProviders();
        builder.Logging.SetMinimumLevel(Microsoft.Extensions.Logging.LogLevel.Debug).AddProvider(new LogRecorder(logged));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureServeGateway(options.Http, headersTimeout));
        builder.Services.AddServeRouting(_ => route => actors[route.ReplicaId]);
        builder.Services.AddSingleton<IActorDirectory>(new FakeDirectory());
        builder.Services.AddServeGateway(options);
        var app = builder.Build();
        app.UseServeGateway();
        await app.StartAsync();
        return new GatewayHost(app, actors) { Logged = logged };
    }

    public LocalActor Local(string id) => (LocalActor)actors.GetOrAdd(id, id => new LocalActor(id));

    public GatewayHost Remote(string id, ProcessRoute process)
    {
        actors[id] = new RemoteActor(id, process);
        return this;
    }

    /// <summary>One application of one deployment with these replicas, local ones unless made remote before.</summary>
    public GatewayHost Deploy(string application, string? prefix, string replicas, int max = 100, int queue = -1, string? unavailable = null)
    {
        var ids = replicas.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        foreach (var id in ids)
            actors.GetOrAdd(id, id => new LocalActor(id));
        applications[application] = new ApplicationRoute(application, "Main", prefix);
        deployments[application] = new DeploymentRoute
        {
            Application = application,
            Deployment = "Main",
            MaxOngoingRequests = max,
            MaxQueuedRequests = queue,
            Unavailable = unavailable,
            Replicas = [.. ids.Select(id => new ReplicaRoute(id, actors[id].Process))],
        };
        return this;
    }

    public GatewayHost Delete(string application)
    {
        applications.Remove(application);
        deployments.Remove(application);
        return this;
    }

    /// <summary>Publishes as the controller does, and waits for the acknowledgement.</summary>
    public async Task PublishAsync()
    {
        var snapshot = new RouteSnapshot { Version = ++version, Applications = [.. applications.Values], Deployments = [.. deployments.Values] };
        var payload = JsonSerializer.SerializeToUtf8Bytes(snapshot, ServeJson.Options);
        foreach (var subscriber in app.Services.GetServices<ITopicSubscriber>())
            await subscriber.OnPublishedAsync(version, payload, default).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
    }

    public Task StopAsync() => app.StopAsync();

    public T Service<T>()
        where T : notnull => app.Services.GetRequiredService<T>();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await app.DisposeAsync();
    }

    private sealed class FakeDirectory : IActorDirectory
    {
        public string ProcessId => "node";

        public ActorHandle Resolve(ActorId id, ProcessRoute process) => throw new NotSupportedException();
    }
}
