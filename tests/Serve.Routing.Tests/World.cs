using Microsoft.Extensions.Time.Testing;
using Serve.Calls;
using Serve.Routes;

namespace Serve.Routing.Tests;

/// <summary>A route table over fake replicas, with deployments written as one line each.</summary>
internal sealed class World : IDisposable
{
    private readonly Dictionary<string, FakeReplica> replicas = [];
    private readonly Dictionary<DeploymentId, DeploymentRoute> deployments = [];
    private readonly List<ApplicationRoute> applications = [];
    private long version;

    public World(TimeProvider? time = null) => Table = new RouteTable(route => replicas[route.ReplicaId], time ?? Clock);

    public FakeTimeProvider Clock { get; } = new();

    public RouteTable Table { get; }

    public FakeReplica this[string replica] => replicas[replica];

    public World Replica(FakeReplica replica)
    {
        replicas[replica.Id] = replica;
        return this;
    }

    public World Deploy(string id, string running = "", int max = 1, int queue = -1, string? unavailable = null)
    {
        var deployment = IdOf(id);
        var ids = running.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        foreach (var replica in ids)
            replicas.TryAdd(replica, new FakeReplica(replica));
        deployments[deployment] = new DeploymentRoute
        {
            Application = deployment.Application,
            Deployment = deployment.Name,
            MaxOngoingRequests = max,
            MaxQueuedRequests = queue,
            Unavailable = unavailable,
            Replicas = [.. ids.Select(replica => replicas[replica].Route)],
        };
        return this;
    }

    public World Application(string name, string ingress, string? prefix = null)
    {
        applications.Add(new ApplicationRoute(name, ingress, prefix));
        return this;
    }

    public World Delete(string id)
    {
        var deployment = IdOf(id);
        deployments.Remove(deployment);
        return this;
    }

    public World Publish()
    {
        Table.Apply(Snapshot(++version));
        return this;
    }

    public RouteSnapshot Snapshot(long at) => new()
    {
        Version = at,
        Applications = [.. applications],
        Deployments = [.. deployments.Values],
    };

    public DeploymentRouter Router(string deployment, string? application = null) => Table.Current.Find(deployment, application);

    public Task<string> Call(string deployment, string? application = null, CancellationToken stop = default) =>
        Table.GetTarget(deployment, application).InvokeAsync(new NamedCall<string>("Call"), CallContext.None, stop).AsTask();

    public IAsyncEnumerable<string> Stream(string deployment, CancellationToken stop = default) =>
        Table.GetTarget(deployment).StreamAsync(new NamedCall<IAsyncEnumerable<string>>("Call"), CallContext.None, stop);

    private static DeploymentId IdOf(string text) =>
        DeploymentId.TryParse(text, out var id) ? id : throw new ArgumentException(text);

    public void Dispose() => Table.Dispose();
}
