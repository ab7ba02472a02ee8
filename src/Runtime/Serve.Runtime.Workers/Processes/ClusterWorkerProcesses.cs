using Microsoft.Extensions.Logging;
using Serve.Runtime.Clusters;
using Serve.Runtime.Execution;
using Serve.Runtime.Tasks;
using Serve.Runtime.Workers.Connections;
using Serve.Runtime.Workers.Nodes;

namespace Serve.Runtime.Workers.Processes;

/// <summary>Worker processes of the driver's own node and the connection to each. Created with the first worker.</summary>
internal sealed class ClusterWorkerProcesses : IClusterWorkers
{
    private readonly WorkerProcessPool _pool;
    private readonly WorkerRequestHandler _requests;
    private readonly WorkerMemoryMonitor _memory;
    private readonly OwnedTemporaryFolder? _folder;
    private readonly bool _ownsPool;

    /// <param name="cluster">The cluster.</param>
    /// <param name="pool">Starts and stops the processes.</param>
    /// <param name="folder">Log folder to delete on disposal; null if it is not owned.</param>
    /// <param name="logger">Receives a warning when a task is stopped.</param>
    /// <param name="ownsPool">Whether disposal stops the pool.</param>
    public ClusterWorkerProcesses(DriverCluster cluster, WorkerProcessPool pool, OwnedTemporaryFolder? folder, ILogger logger, bool ownsPool = true)
    {
        _pool = pool;
        _folder = folder;
        _ownsPool = ownsPool;
        _requests = new(cluster);
        Tasks = new(OpenAsync, cluster.Options.NumCpus ?? Environment.ProcessorCount, cluster.Options.PrestartWorkers, pool.Time);
        _memory = new(Tasks, cluster.ReadMemory, cluster.GiveUpIdleMemory, cluster.Options.MemoryUsageThreshold, logger, pool.Time);
    }

    public WorkerTaskExecutor Tasks { get; }

    ITaskExecutor IClusterWorkers.Tasks => Tasks;

    /// <summary>Objects that workers hold references to: one entry for each worker that does.</summary>
    public IEnumerable<ObjectRef> LentObjects => _pool.Running.SelectMany(worker => worker.OpenedConnection?.Lent.All ?? []);

    public void Prestart(int count) => Tasks.Prestart(count);

    public async Task<IActorWorker> StartActorWorkerAsync(string label, CancellationToken cancellationToken) =>
        await OpenAsync(new WorkerPlacement.Own(label), cancellationToken).ConfigureAwait(false);

    /// <summary>Leases a worker and connects to it.</summary>
    public async Task<WorkerConnection> OpenAsync(WorkerPlacement placement, CancellationToken cancellationToken)
    {
        var worker = await _pool.LeaseAsync(placement, cancellationToken).ConfigureAwait(false);
        return await SessionOfAsync(worker, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Returns the connection to a running worker; opened by the first call.</summary>
    public Task<WorkerConnection> SessionOfAsync(PooledWorker worker, CancellationToken cancellationToken) =>
        worker.ConnectAsync(async () => new(new PooledWorkerLease(worker), await worker.OpenStreamAsync(CancellationToken.None).ConfigureAwait(false), _requests)).WaitAsync(cancellationToken);

    public IReadOnlyList<WorkerState> List() =>
    [
        .. _pool.Running.Select(static worker => new WorkerState
        {
            WorkerId = worker.Id,
            Pid = worker.Process!.Pid,
            Purpose = worker.Label,
            Running = worker.RunningCount,
            Memory = SystemMemoryReader.ResidentOf(worker.Process.Pid),
            LogFile = worker.LogFile,
        }),
    ];

    public async ValueTask DisposeAsync()
    {
        await _memory.DisposeAsync().ConfigureAwait(false);
        await Tasks.DisposeAsync().ConfigureAwait(false);

        // Closed first, so that workers see the end of the cluster before their stop request.
        foreach (var worker in _pool.Running)
            worker.CloseConnection();
        if (_ownsPool)
            await _pool.DisposeAsync().ConfigureAwait(false);
        _folder?.Dispose();
    }
}
