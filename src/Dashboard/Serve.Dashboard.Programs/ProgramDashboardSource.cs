using Serve.Admin;
using Serve.Dashboard.Sources;
using Serve.Runtime.Clusters;
using Serve.Runtime.Devices;

namespace Serve.Dashboard.Programs;

/// <summary>State of a program's cluster for its dashboard: one node, which is the program, and its workers.</summary>
/// <param name="cluster">The cluster.</param>
internal sealed class ProgramDashboardSource(DriverCluster cluster) : IDashboardSource
{
    private readonly double _started = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;

    /// <summary>Name of the program.</summary>
    public static string Name => Path.GetFileNameWithoutExtension(Environment.GetCommandLineArgs().FirstOrDefault() ?? Environment.ProcessPath) ?? "program";

    public IReadOnlyList<NodeDetails> GetNodes()
    {
        var available = cluster.AvailableResources;
        return
        [
            new()
            {
                NodeId = Name,
                Pid = Environment.ProcessId,
                StartTimeS = _started,
                ResourcesTotal = cluster.Resources,
                ResourcesReserved = cluster.Resources.ToDictionary(total => total.Key, total => total.Value - available.GetValueOrDefault(total.Key)),
                Workers = [.. cluster.ListWorkers().Select(worker => new WorkerProcessDetails { WorkerId = worker.WorkerId, Pid = worker.Pid, Label = worker.Purpose })],
            },
        ];
    }

    public ServeInstanceDetails? GetInstance() => null;

    public IReadOnlyList<DashboardModel> GetModels() => [];

    public IReadOnlyDictionary<string, IReadOnlyList<string>> GetActorsByWorker() => cluster.ListActors()
        .Where(actor => actor is { WorkerId: not null, State: ActorPhase.Alive }).GroupBy(actor => actor.WorkerId!)
        .ToDictionary(group => group.Key, IReadOnlyList<string> (group) => [.. group.Select(actor => actor.Name is null ? actor.ClassName : $"{actor.ClassName} '{actor.Name}'")]);

    public IReadOnlyDictionary<int, string> GetExitReasons() => new Dictionary<int, string>();

    public DashboardGpuUsage GetGpuUsage()
    {
        var devices = GpuDevices.Shared.Read();
        return devices.Count == 0 ? DashboardGpuUsage.None : new(
            [.. devices.Select(device => new DashboardGpuDevice(device.Id, device.Name, device.TotalMemory, device.UsedMemory, device.Utilization))],
            [.. GpuDevices.Shared.ReadProcesses().Select(process => new DashboardGpuProcess(process.Pid, process.Memory, process.Utilization))]);
    }

    public long GetNewestDecision() => 0;

    public Task SetModelLoadedAsync(string name, bool isLoad, CancellationToken cancellationToken) => throw new NoSuchRouteException("A program has no models.");

    public Task<IReadOnlyList<string>> CollectMetricsAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<string>>([]);
}
