using System.Collections.Concurrent;
using Serve.Runtime.Clusters;
using Serve.Runtime.Execution;
using Serve.Runtime.Scheduling;
using Serve.Runtime.Tasks;
using Serve.Runtime.Workers.Connections;
using Serve.Runtime.Workers.Processes;

namespace Serve.Runtime.Workers.Nodes;

/// <summary>A node other than the driver's, as its cluster uses it: leased workers, the connection to each, and granted resources.</summary>
internal sealed class RemoteNodeWorkers : IClusterWorkers
{
    private readonly INodeAgent _agent;
    private readonly LeaseOwner _owner;
    private readonly WorkerRequestHandler _requests;
    private readonly WorkerTaskExecutor _tasks;
    private readonly NodeResourceGrants _grants;
    private readonly TaskCompletionSource<string> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<string, WorkerConnection> _connections = new(StringComparer.Ordinal);

    public RemoteNodeWorkers(DriverCluster cluster, INodeAgent agent, LeaseOwner owner, TimeProvider time)
    {
        _agent = agent;
        _owner = owner;
        _requests = new(cluster);
        _grants = new(agent, owner, time);
        _tasks = new(OpenAsync, (double)agent.Resources.Total.UnitsOf(ResourceDemand.Cpu) / ResourceDemand.UnitsPerOne, prestarted: 0, time);
    }

    /// <summary>The resources of the node.</summary>
    public ResourceLedger Ledger => _grants.Ledger;

    public ITaskExecutor Tasks => _tasks;

    public IEnumerable<ObjectRef> LentObjects => _connections.Values.SelectMany(static connection => connection.Lent.All);

    public void Prestart(int count) => _tasks.Prestart(count);

    public async Task<IActorWorker> StartActorWorkerAsync(string label, CancellationToken cancellationToken) =>
        await OpenAsync(new WorkerPlacement.Own(label), cancellationToken).ConfigureAwait(false);

    public IReadOnlyList<WorkerState> List() =>
    [
        .. _agent.Workers.Where(worker => _connections.ContainsKey(worker.WorkerId)).Select(worker => new WorkerState
        {
            WorkerId = worker.WorkerId,
            Pid = worker.ProcessId,
            Purpose = worker.Label,
            Running = _connections.TryGetValue(worker.WorkerId, out var connection) ? connection.Count : 0,
            LogFile = worker.LogFile,
        }),
    ];

    /// <summary>Ends everything that runs on the node, because the node has left: tasks are retried and actors restarted on other nodes.</summary>
    public async Task LoseAsync(string reason)
    {
        _lost.TrySetResult(reason);
        foreach (var connection in _connections.Values)
            connection.Dispose();
        await DisposeAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _tasks.DisposeAsync().ConfigureAwait(false);
        foreach (var connection in _connections.Values)
        {
            connection.Dispose();
            await connection.Lease.DisposeAsync().ConfigureAwait(false);
        }

        await _grants.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<WorkerConnection> OpenAsync(WorkerPlacement placement, CancellationToken cancellationToken)
    {
        if (_lost.Task.IsCompleted)
            throw new WorkerDiedException(_lost.Task.Result);
        var lease = new RemoteWorkerLease(await _agent.LeaseWorkerAsync(_owner, placement, cancellationToken).ConfigureAwait(false), _lost.Task);
        try
        {
            var connection = new WorkerConnection(lease, new(await lease.ConnectAsync(cancellationToken).ConfigureAwait(false)), _requests);
            _connections[lease.WorkerId] = connection;
            connection.Disconnected.UnsafeRegister(_ => _connections.TryRemove(lease.WorkerId, out var _), null);

            // The node may have been lost before the connection was listed.
            if (_lost.Task.IsCompleted)
                connection.Dispose();
            return connection;
        }
        catch
        {
            await lease.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>A lease that also ends when its node leaves the cluster.</summary>
    private sealed class RemoteWorkerLease(IWorkerLease lease, Task<string> nodeLost) : IWorkerLease
    {
        public string WorkerId => lease.WorkerId;

        public int ProcessId => lease.ProcessId;

        public Task<string> Exited { get; } = Task.WhenAny(lease.Exited, nodeLost).Unwrap();

        public Task<Stream> ConnectAsync(CancellationToken cancellationToken) => lease.ConnectAsync(cancellationToken);

        public void Kill(string reason) => lease.Kill(reason);

        public ValueTask DisposeAsync() => lease.DisposeAsync();
    }
}
