using Serve.Admin;

namespace Serve.Dashboard.Sources;

/// <summary>State of a node or of a program, as the dashboard reads it. Implemented by the composition root. Thread-safe.</summary>
public interface IDashboardSource
{
    /// <summary>Gets the nodes; the first one is that of this process.</summary>
    IReadOnlyList<NodeDetails> GetNodes();

    /// <summary>Gets the applications; null for a program.</summary>
    ServeInstanceDetails? GetInstance();

    /// <summary>Gets the models.</summary>
    IReadOnlyList<DashboardModel> GetModels();

    /// <summary>Gets display names of the actors of Core in each worker, by the worker's id.</summary>
    IReadOnlyDictionary<string, IReadOnlyList<string>> GetActorsByWorker();

    /// <summary>Gets why worker processes have exited recently, by process id.</summary>
    IReadOnlyDictionary<int, string> GetExitReasons();

    /// <summary>Gets the GPU devices and the memory and time that processes use on them.</summary>
    DashboardGpuUsage GetGpuUsage();

    /// <summary>Gets the sequence number of the controller's newest decision; 0 if there is none.</summary>
    long GetNewestDecision();

    /// <summary>Loads or unloads a model, and waits until it is done.</summary>
    /// <param name="name">The model.</param>
    /// <param name="isLoad">Whether to load it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ServeException">There is no such model, or it cannot be loaded.</exception>
    Task SetModelLoadedAsync(string name, bool isLoad, CancellationToken cancellationToken);

    /// <summary>Collects the metrics of this process and of its workers, one text in Prometheus' format for each.</summary>
    /// <param name="cancellationToken">Cancels the collection.</param>
    Task<IReadOnlyList<string>> CollectMetricsAsync(CancellationToken cancellationToken);
}

/// <summary>A model of the node.</summary>
/// <param name="Name">Its name.</param>
/// <param name="State">Its state, as in Triton's model repository.</param>
/// <param name="Reason">Reason of the state; may be empty.</param>
/// <param name="Application">The application that serves it.</param>
public sealed record DashboardModel(string Name, string State, string Reason, string Application);

/// <summary>Use of the GPU devices.</summary>
/// <param name="Devices">The devices; empty if there are none.</param>
/// <param name="Processes">The processes that use them, also those of others.</param>
public sealed record DashboardGpuUsage(IReadOnlyList<DashboardGpuDevice> Devices, IReadOnlyList<DashboardGpuProcess> Processes)
{
    /// <summary>No devices.</summary>
    public static DashboardGpuUsage None { get; } = new([], []);
}

/// <summary>A GPU device.</summary>
/// <param name="Index">Its number.</param>
/// <param name="Name">Its model.</param>
/// <param name="TotalMemory">Its memory in bytes.</param>
/// <param name="UsedMemory">Memory in use in bytes.</param>
/// <param name="Utilization">Share of the last moments in which it was busy, 0 to 1; null if unknown.</param>
public sealed record DashboardGpuDevice(int Index, string Name, long TotalMemory, long UsedMemory, double? Utilization);

/// <summary>Use of one device by one process.</summary>
/// <param name="Pid">The process.</param>
/// <param name="Memory">Memory in bytes; null if unknown.</param>
/// <param name="Utilization">Share of the last moments in which it kept the device busy, 0 to 1; null if unknown.</param>
public sealed record DashboardGpuProcess(int Pid, long? Memory, double? Utilization);
