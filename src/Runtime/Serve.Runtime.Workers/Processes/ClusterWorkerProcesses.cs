using Microsoft.Extensions.Logging;
using Serve.Runtime.Clusters;
using Serve.Runtime.Execution;
using Serve.Runtime.Tasks;
using Serve.Runtime.Workers.Connections;

namespace Serve.Runtime.Workers.Processes;

/// <summary>A cluster's worker processes and the session with each. Made with the first worker. Its table of sessions is written by whoever opens one first.</summary>
internal sealed class ClusterWorkerProcesses : IClusterWorkers
{
    private readonly WorkerProcessPool _pool;
    private readonly WorkerRequestHandler _requests;
    private readonly WorkerMemoryMonitor _memory;
    private readonly string? _folder;
    private readonly bool _ownsPool;

    /// <param name="cluster">Whose they are.</param>
    /// <param name="pool">Starts and ends the processes.</param>
    /// <param name="folder">Their logs, when that is nobody else's.</param>
    /// <param name="logger">Told when a task is stopped.</param>
    /// <param name="ownsPool">Whether the pool ends with it.</param>
    public ClusterWorkerProcesses(DriverCluster cluster, WorkerProcessPool pool, string? folder, ILogger logger, bool ownsPool = true)
    {
        this._pool = pool;
        this._folder = folder;
        this._ownsPool = ownsPool;
        _requests = new(cluster);
        Tasks = new(this, cluster.Options.NumCpus ?? Environment.ProcessorCount, cluster.Options.PrestartWorkers, pool.Time);
        _memory = new(Tasks, cluster.ReadMemory, cluster.GiveUpIdleMemory, cluster.Options.MemoryUsageThreshold, logger, pool.Time);
    }

    public WorkerTaskExecutor Tasks { get; }

    ITaskExecutor IClusterWorkers.Tasks => Tasks;

    /// <summary>What the workers hold refs to: an object once for each worker that does.</summary>
    public IEnumerable<ObjectRef> LentObjects => _pool.Running.SelectMany(worker => worker.OpenedConnection?.Lent.All ?? []);

    public void Prestart(int count) => Tasks.Prestart(count);

    public async Task<IActorWorker> StartActorWorkerAsync(string label, CancellationToken cancellationToken) =>
        await OpenAsync(new WorkerPlacement.Own(label), cancellationToken).ConfigureAwait(false);

    /// <summary>A worker that runs, and the session with it.</summary>
    public async Task<WorkerConnection> OpenAsync(WorkerPlacement placement, CancellationToken cancellationToken)
    {
        var worker = await _pool.LeaseAsync(placement, cancellationToken).ConfigureAwait(false);
        return await SessionOfAsync(worker, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The session with a worker that runs, opened with the first need of it.</summary>
    public Task<WorkerConnection> SessionOfAsync(PooledWorker worker, CancellationToken cancellationToken) =>
        worker.ConnectAsync(async () => new(worker, await worker.OpenStreamAsync(CancellationToken.None).ConfigureAwait(false), _requests.Hello(), _requests)).WaitAsync(cancellationToken);

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

        // A worker's server waits for its open calls before it ends.
        foreach (var worker in _pool.Running)
            worker.CloseConnection();
        if (_ownsPool)
            await _pool.DisposeAsync().ConfigureAwait(false);
        if (_folder is not null)
            Directory.Delete(_folder, recursive: true);
    }
}
