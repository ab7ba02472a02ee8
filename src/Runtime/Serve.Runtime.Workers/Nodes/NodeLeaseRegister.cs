using Microsoft.Extensions.Logging;
using Serve.Runtime.Workers.Processes;

namespace Serve.Runtime.Workers.Nodes;

/// <summary>The grants and worker leases of drivers on a node; ends those whose owner has not renewed them in time. Its state is written under its lock.</summary>
internal sealed partial class NodeLeaseRegister : IAsyncDisposable
{
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _sync = new();
    private readonly Dictionary<LeaseOwner, OwnedLeases> _owners = [];
    private readonly CancellationTokenSource _closed = new();
    private readonly ITimer _timer;
    private bool _isClosed;

    public NodeLeaseRegister(TimeSpan lifetime, TimeProvider time, ILogger logger)
    {
        Lifetime = lifetime;
        _time = time;
        _logger = logger;
        _timer = time.CreateTimer(_ => _ = EndExpiredAsync(), null, lifetime / 4, lifetime / 4);
    }

    public TimeSpan Lifetime { get; }

    /// <summary>Fires when the node stops.</summary>
    public CancellationToken Closed => _closed.Token;

    /// <summary>Everything that is leased.</summary>
    public IReadOnlyList<NodeLease> All
    {
        get
        {
            lock (_sync)
                return [.. _owners.Values.SelectMany(static owned => owned.Leases)];
        }
    }

    /// <summary>Registers a lease until it is returned.</summary>
    /// <exception cref="ObjectDisposedException">The node has stopped; the lease is returned.</exception>
    public async Task AddAsync(LeaseOwner owner, NodeLease lease)
    {
        bool isClosed;
        lock (_sync)
        {
            isClosed = _isClosed;
            if (!isClosed)
            {
                if (!_owners.TryGetValue(owner, out var owned))
                    _owners.Add(owner, owned = new());
                owned.Leases.Add(lease);
                owned.RenewedAt = _time.GetTimestamp();
            }
        }

        if (isClosed)
        {
            await lease.DisposeAsync();
            throw new ObjectDisposedException(nameof(LocalNodeAgent), "The node has stopped.");
        }

        _ = lease.Returned.ContinueWith(_ => Remove(owner, lease), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Renews the leases of an owner; false if it has none.</summary>
    public bool Renew(LeaseOwner owner)
    {
        lock (_sync)
        {
            if (!_owners.TryGetValue(owner, out var owned))
                return false;
            owned.RenewedAt = _time.GetTimestamp();
            return true;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync();
        lock (_sync)
            _isClosed = true;
        await _closed.CancelAsync();
        foreach (var lease in All)
            await lease.EndAsync("Its node has stopped.");
    }

    private void Remove(LeaseOwner owner, NodeLease lease)
    {
        lock (_sync)
        {
            if (_owners.TryGetValue(owner, out var owned) && owned.Leases.Remove(lease) && owned.Leases.Count == 0)
                _owners.Remove(owner);
        }
    }

    private async Task EndExpiredAsync()
    {
        (LeaseOwner Owner, OwnedLeases Owned)[] expired;
        lock (_sync)
        {
            expired = [.. _owners.Where(entry => _time.GetElapsedTime(entry.Value.RenewedAt) > Lifetime).Select(static entry => (entry.Key, entry.Value))];
            foreach (var (owner, _) in expired)
                _owners.Remove(owner);
        }

        foreach (var (owner, owned) in expired)
        {
            LogExpired(_logger, owner, owned.Leases.Count, Lifetime);
            foreach (var lease in owned.Leases)
                await lease.EndAsync($"Its owner {owner} has not renewed its lease for {Lifetime.TotalSeconds:0.###} s.");
        }
    }

    [LoggerMessage(EventId = 2010, Level = LogLevel.Warning, Message = "Owner {Owner} has not renewed its {Count} leases for {Lifetime}; they have ended")]
    private static partial void LogExpired(ILogger logger, LeaseOwner owner, int count, TimeSpan lifetime);

    private sealed class OwnedLeases
    {
        public HashSet<NodeLease> Leases { get; } = [];

        public long RenewedAt { get; set; }
    }
}

/// <summary>Something of a node that a driver holds. Returned once, by its holder or by the node.</summary>
internal abstract class NodeLease : IAsyncDisposable
{
    private readonly TaskCompletionSource _returned = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _isReturned;

    /// <summary>Completes when it has been returned.</summary>
    public Task Returned => _returned.Task;

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isReturned, 1) != 0)
            return;
        await ReturnAsync();
        _returned.SetResult();
    }

    /// <summary>Ends it although its holder still uses it.</summary>
    public virtual ValueTask EndAsync(string reason) => DisposeAsync();

    protected abstract Task ReturnAsync();
}

/// <summary>Reserved resources of a node in this process.</summary>
internal sealed class LocalResourceGrant(NodeId node, ResourceLedger ledger, ResourceAllocation allocation) : NodeLease, IResourceGrant
{
    public NodeId Node => node;

    public ResourceDemand Amount => allocation.Demand;

    public IReadOnlyList<int> GpuIds => allocation.GpuIds;

    protected override Task ReturnAsync()
    {
        ledger.Release(allocation);
        return Task.CompletedTask;
    }
}

/// <summary>A lease of a worker of this process's pool.</summary>
internal sealed class PooledWorkerLease(PooledWorker worker) : NodeLease, IWorkerLease
{
    public string WorkerId => worker.Id;

    public int ProcessId => worker.Process?.Pid ?? 0;

    public Task<string> Exited => worker.Ended.Task;

    public Task<Stream> ConnectAsync(CancellationToken cancellationToken) => worker.OpenLeaseStreamAsync(cancellationToken);

    public void Kill(string reason) => worker.Process?.Kill(reason);

    public override ValueTask EndAsync(string reason)
    {
        Kill(reason);
        return DisposeAsync();
    }

    protected override Task ReturnAsync() => worker.ReleaseAsync();
}
