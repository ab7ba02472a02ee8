namespace Serve.Runtime.Scheduling;

/// <summary>
/// The grants of another node that a cluster holds: requests missing resources, renews all grants, and returns those that were idle for a whole period. Its set
/// is written under its lock.
/// </summary>
public sealed class NodeResourceGrants : IAsyncDisposable
{
    private static readonly TimeSpan LongestPeriod = TimeSpan.FromSeconds(1);
    private readonly INodeAgent _agent;
    private readonly LeaseOwner _owner;
    private readonly Lock _sync = new();
    private readonly HashSet<ResourceDemand> _requested = [];
    private readonly List<IResourceGrant> _grants = [];
    private readonly HashSet<IResourceGrant> _idle = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly ITimer _timer;
    private bool _wasRefused;

    /// <param name="agent">The other node.</param>
    /// <param name="owner">The cluster.</param>
    /// <param name="time">Clock of renewals.</param>
    public NodeResourceGrants(INodeAgent agent, LeaseOwner owner, TimeProvider time)
    {
        _agent = agent;
        _owner = owner;
        Ledger = ResourceLedger.OfGrants(agent.Resources.Total, () => agent.Resources.Reserved);
        Ledger.RequestGrant = Request;
        var period = agent.LeaseLifetime / 4 < LongestPeriod ? agent.LeaseLifetime / 4 : LongestPeriod;
        _timer = time.CreateTimer(_ => _ = TendAsync(), null, period, period);
    }

    /// <summary>The node's resources, of which the granted ones can be assigned.</summary>
    public ResourceLedger Ledger { get; }

    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync().ConfigureAwait(false);
        await _stopping.CancelAsync().ConfigureAwait(false);
        IResourceGrant[] held;
        lock (_sync)
        {
            held = [.. _grants];
            _grants.Clear();
        }

        foreach (var grant in held)
            await grant.DisposeAsync().ConfigureAwait(false);
    }

    // Equal demands are requested one at a time: each grant makes the waiters request the resources that are still missing.
    private void Request(ResourceDemand missing)
    {
        lock (_sync)
        {
            if (_stopping.IsCancellationRequested || !_requested.Add(missing))
                return;
        }

        _ = RequestAsync(missing);
    }

    private async Task RequestAsync(ResourceDemand missing)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        IResourceGrant? grant = null;
        try
        {
            grant = await _agent.GrantAsync(_owner, missing, _stopping.Token).ConfigureAwait(false);
        }
        catch (Exception refused) when (refused is InsufficientResourcesException or OperationCanceledException or ObjectDisposedException or IOException)
        {
            // The node is draining or about to leave; requested again in the next period.
        }

        bool isKept;
        lock (_sync)
        {
            _requested.Remove(missing);
            _wasRefused |= grant is null;
            isKept = grant is not null && !_stopping.IsCancellationRequested;
            if (isKept)
                _grants.Add(grant!);
        }

        if (isKept)
            Ledger.AddGrant(grant!);
        else if (grant is not null)
            await grant.DisposeAsync().ConfigureAwait(false);
    }

    private async Task TendAsync()
    {
        var returned = new List<IResourceGrant>();
        IResourceGrant[] held;
        bool wasRefused;
        lock (_sync)
        {
            held = [.. _grants];
            (wasRefused, _wasRefused) = (_wasRefused, false);
            foreach (var grant in held)
            {
                if (!Ledger.TryWithdraw(grant, isTrial: !_idle.Contains(grant)))
                    _idle.Remove(grant);
                else if (!_idle.Add(grant))
                    returned.Add(grant);
            }

            foreach (var grant in returned)
            {
                _idle.Remove(grant);
                _grants.Remove(grant);
            }
        }

        foreach (var grant in returned)
            await grant.DisposeAsync().ConfigureAwait(false);
        if (wasRefused)
            Ledger.NotifyWaiters();
        if (!await TryRenewAsync().ConfigureAwait(false))
            OnExpired(held);
    }

    private async Task<bool> TryRenewAsync()
    {
        try
        {
            return await _agent.RenewAsync(_owner, _stopping.Token).ConfigureAwait(false);
        }
        catch (Exception failed) when (failed is OperationCanceledException or ObjectDisposedException or IOException)
        {
            // The next renewal may succeed; if none does, the node ends the leases, and leaves the cluster.
            return true;
        }
    }

    // The agent has ended the grants and killed the leased workers, so that their tasks are retried.
    private void OnExpired(IResourceGrant[] held)
    {
        lock (_sync)
        {
            foreach (var grant in held)
            {
                if (!_grants.Remove(grant))
                    continue;
                _idle.Remove(grant);
                Ledger.Withdraw(grant);
            }
        }

        Ledger.NotifyWaiters();
    }
}
