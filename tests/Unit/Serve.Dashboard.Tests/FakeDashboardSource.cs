using Serve.Admin;
using Serve.Dashboard.Sources;

namespace Serve.Dashboard.Tests;

/// <summary>A node whose processes and applications the test sets.</summary>
internal sealed class FakeDashboardSource : IDashboardSource
{
    public List<WorkerProcessDetails> Workers { get; } = [];

    public Dictionary<int, string> ExitReasons { get; } = [];

    public ServeInstanceDetails Instance { get; set; } = new() { ControllerInfo = new() { NodeId = "node-a" } };

    public string Metrics { get; set; } = "";

    public DashboardGpuUsage Gpu { get; set; } = DashboardGpuUsage.None;

    public List<DashboardModel> Models { get; } = [];

    public int Collections { get; private set; }

    public IReadOnlyList<NodeDetails> GetNodes() =>
    [
        new()
        {
            NodeId = "node-a", Pid = Environment.ProcessId, StateDir = Path.GetTempPath(), GatewayAddress = Gateway, Workers = [.. Workers],
            ResourcesTotal = new Dictionary<string, double> { ["CPU"] = 4 }, ResourcesReserved = new Dictionary<string, double> { ["CPU"] = 1.5 },
        },
    ];

    public ServeInstanceDetails? GetInstance() => Instance;

    public IReadOnlyList<DashboardModel> GetModels() => Models;

    public IReadOnlyDictionary<string, IReadOnlyList<string>> GetActorsByWorker() => new Dictionary<string, IReadOnlyList<string>>();

    public IReadOnlyDictionary<int, string> GetExitReasons() => ExitReasons;

    public DashboardGpuUsage GetGpuUsage() => Gpu;

    public long GetNewestDecision() => 0;

    public string? Gateway { get; set; }

    public List<string> ModelChanges { get; } = [];

    public Task SetModelLoadedAsync(string name, bool isLoad, CancellationToken cancellationToken)
    {
        if (name == "unknown")
            throw new NoSuchRouteException("Unknown model 'unknown'.");
        ModelChanges.Add($"{name} {isLoad}");
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<string>> CollectMetricsAsync(CancellationToken cancellationToken)
    {
        Collections++;
        return Task.FromResult<IReadOnlyList<string>>([Metrics]);
    }

    public static ApplicationDetails Application(string name, params string[] replicas) => new()
    {
        Name = name,
        Status = ApplicationStatus.Running,
        Ingress = "D",
        RoutePrefix = "/" + name,
        Deployments = new Dictionary<string, DeploymentDetails>
        {
            ["D"] = new()
            {
                Name = "D", Status = DeploymentStatus.Healthy, TargetNumReplicas = replicas.Length, DeploymentConfig = new() { Name = "D" },
                Replicas = [.. replicas.Select(suffix => new ReplicaDetails { ReplicaId = $"{name}#D#{suffix}", State = ReplicaState.Running, Pid = Environment.ProcessId })],
            },
        },
    };

    public void Deploy(params ApplicationDetails[] applications) => Instance = Instance with { Applications = applications.ToDictionary(application => application.Name) };
}
