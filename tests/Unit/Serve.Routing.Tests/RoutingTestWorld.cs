using Microsoft.Extensions.Time.Testing;
using Serve.Calls;
using Serve.Routes;

namespace Serve.Routing.Tests;

/// <summary>A route table over fake replicas. A deployment is described by one line.</summary>
internal sealed class RoutingTestWorld : IDisposable
{
    private readonly Dictionary<string, FakeReplicaTarget> _replicas = [];
    private readonly Dictionary<DeploymentId, DeploymentRoute> _deployments = [];
    private readonly List<ApplicationRoute> _applications = [];
    private long _version;

    public RoutingTestWorld(TimeProvider? time = null, IPickerClassLoader? loader = null) => Table = new RouteTable(route => _replicas[route.ReplicaId], time ?? Clock, loader);

    public FakeTimeProvider Clock { get; } = new();

    public RouteTable Table { get; }

    public FakeReplicaTarget this[string replica] => _replicas[replica];

    public RoutingTestWorld Replica(FakeReplicaTarget replica)
    {
        _replicas[replica.Id] = replica;
        return this;
    }

    public RoutingTestWorld Deploy(string id, string running = "", int max = 1, int queue = -1, string? unavailable = null, bool wakes = false)
    {
        var deployment = IdOf(id);
        var ids = running.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        foreach (var replica in ids)
            _replicas.TryAdd(replica, new FakeReplicaTarget(replica));
        _deployments[deployment] = new DeploymentRoute
        {
            Application = deployment.Application,
            Deployment = deployment.Name,
            MaxOngoingRequests = max,
            MaxQueuedRequests = queue,
            Unavailable = unavailable,
            WakesOnRequest = wakes,
            Replicas = [.. ids.Select(replica => _replicas[replica].Route)],
        };
        return this;
    }

    public RoutingTestWorld With(string id, RoutingRule rule)
    {
        _deployments[IdOf(id)] = _deployments[IdOf(id)] with { Routing = rule };
        return this;
    }

    public RoutingTestWorld Application(string name, string ingress, string? prefix = null, CanaryRoute? canary = null)
    {
        _applications.RemoveAll(route => route.Application == name);
        _applications.Add(new ApplicationRoute(name, ingress, prefix) { Canary = canary });
        return this;
    }

    public RoutingTestWorld Delete(string id)
    {
        var deployment = IdOf(id);
        _deployments.Remove(deployment);
        return this;
    }

    public RoutingTestWorld Publish()
    {
        Table.Apply(Snapshot(++_version));
        return this;
    }

    public RouteSnapshot Snapshot(long number, long epoch = 1) => new()
    {
        Version = new(epoch, number),
        Applications = [.. _applications],
        Deployments = [.. _deployments.Values],
    };

    public DeploymentRouter Router(string deployment, string? application = null) => Table.Current.FindDeployment(deployment, application);

    public Task<string> Call(string deployment, string? application = null, CancellationToken stop = default) =>
        Table.GetTarget(deployment, application).InvokeAsync(new NamedMethodCall<string>("Call"), CallContext.None, stop).AsTask();

    public IAsyncEnumerable<string> Stream(string deployment, CancellationToken stop = default) =>
        Table.GetTarget(deployment).StreamAsync(new NamedMethodCall<IAsyncEnumerable<string>>("Call"), CallContext.None, stop);

    private static DeploymentId IdOf(string text) =>
        DeploymentId.TryParse(text, out var id) ? id : throw new ArgumentException(text);

    public void Dispose() => Table.Dispose();
}
