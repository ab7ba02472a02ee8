using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Prometheus;
using Serve.Admin;
using Serve.Controller.Metrics;
using Serve.Controller.Store;
using Serve.Nodes;
using Serve.Specs;

namespace Serve.Controller.Tests;

/// <summary>A controller with fake nodes, a fake clock and a real store in a folder of its own.</summary>
internal sealed class ControllerTestFixture : IAsyncDisposable
{
    private ControllerTestFixture(string? folder, ControllerOptions? options, params FakeNodeAgent[] agents)
    {
        Folder = folder ?? Directory.CreateTempSubdirectory("serve-test-").FullName;
        Agents = agents;
        Nodes = new([.. agents]);
        State = NodeStateDirectory.Open(Folder);
        Store = SqliteClusterStore.Open(State.Database, Clock);
        Options = options ?? new() { NodeId = new("n1") };
        Metrics = new(Registry, Clock);
        Controller = new(Nodes, Source, Store, State, Options, Addresses, new(), Metrics, Clock, NullLoggerFactory.Instance, Policies);
    }

    public static Task<ControllerTestFixture> StartAsync(string? folder = null, ControllerOptions? options = null) => StartAsync(folder, options, new FakeNodeAgent());

    public static async Task<ControllerTestFixture> StartAsync(string? folder, ControllerOptions? options, params FakeNodeAgent[] agents)
    {
        var fixture = new ControllerTestFixture(folder, options, agents);
        await fixture.Controller.StartAsync(CancellationToken.None);
        return fixture;
    }

    public string Folder { get; }

    public bool KeepFolder { get; set; }

    public IReadOnlyList<FakeNodeAgent> Agents { get; }

    /// <summary>The first node, which the controller runs on.</summary>
    public FakeNodeAgent Agent => Agents[0];

    public NodeDirectory Nodes { get; }

    public FakeApplicationSource Source { get; } = new();

    public FakePolicyLoader Policies { get; } = new();

    public NodeStateDirectory State { get; }

    public SqliteClusterStore Store { get; }

    public ControllerOptions Options { get; }

    public NodeListenAddresses Addresses { get; } = new() { Gateway = "http://127.0.0.1:8000", Admin = "http://127.0.0.1:8265" };

    public CollectorRegistry Registry { get; } = Prometheus.Metrics.NewCustomRegistry();

    public ControllerMetrics Metrics { get; }

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public ServeController Controller { get; }

    public Task DeployAsync(string name, string importPath, int replicas = 1, Func<DeploymentOptions, DeploymentOptions>? settings = null) =>
        Controller.DeployAsync(Config(name, importPath, replicas, settings), CancellationToken.None);

    public static ApplicationConfig Config(string name, string importPath, int replicas = 1, Func<DeploymentOptions, DeploymentOptions>? settings = null)
    {
        var options = new DeploymentOptions { Name = importPath.Split('@')[0], NumReplicas = replicas };
        return new() { Name = name, ImportPath = importPath, Deployments = [settings?.Invoke(options) ?? options] };
    }

    /// <summary>Waits for a condition, optionally while the fake clock advances, because back-offs and health checks depend on it.</summary>
    public Task UntilAsync(Func<bool> condition, bool runClock = false) => Eventually.TrueAsync(
        () =>
        {
            if (condition())
                return true;
            if (runClock)
                Clock.Advance(TimeSpan.FromMilliseconds(50));
            return false;
        },
        Describe,
        TimeSpan.FromSeconds(10));

    public Task UntilAsync(string application, ApplicationStatus status, bool runClock = false) =>
        UntilAsync(() => Controller.GetDetails(application)?.Status == status, runClock);

    public string[] Running(string application) =>
        [.. Controller.GetDetails(application)!.Deployments.Values.SelectMany(deployment => deployment.Replicas)
            .Where(replica => replica.State == ReplicaState.Running).Select(replica => replica.ReplicaId)];

    public string Describe()
    {
        var text = new StringBuilder();
        foreach (var application in Controller.GetDetails().Applications.Values)
        {
            text.AppendLine($"{application.Name}: {application.Status} {application.Message}");
            foreach (var replica in application.Deployments.Values.SelectMany(deployment => deployment.Replicas))
                text.AppendLine($"  {replica.ReplicaId} {replica.State} rank {replica.Rank}: {replica.Message}");
        }

        return text.AppendJoin(Environment.NewLine, Agents.SelectMany(agent => agent.Calls)).ToString();
    }

    public async ValueTask DisposeAsync()
    {
        await Controller.DisposeAsync();
        Store.Dispose();
        State.Dispose();
        if (!KeepFolder)
            Directory.Delete(Folder, recursive: true);
    }
}
