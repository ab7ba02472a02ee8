using System.Collections.Immutable;
using System.Globalization;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Placement;

/// <summary>
/// Placement groups of the cluster, waiting in order of creation or holding resources. The only writer of their state, under its lock. The first waiting group
/// that the nodes can serve blocks later ones, so that small groups cannot starve a large one. A group that has lost bundles with their node waits for them first.
/// </summary>
public sealed class PlacementGroupTable
{
    private const int Remembered = 1000;

    // In-process code that ignores its token cannot be terminated; disposal stops waiting for it after this time.
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(5);
    private readonly PlacementNodeSet _nodes;
    private readonly TimeProvider _time;
    private readonly Lock _sync = new();
    private readonly List<ReservedPlacementGroup> _groups = [];
    private readonly LinkedList<ReservedPlacementGroup> _waiting = new();
    private readonly Queue<ReservedPlacementGroup> _removed = new();
    private readonly List<IPlacementGroupOccupant> _occupants = [];
    private readonly PlacementGroupClaims _claims;
    private volatile int _waitingCount;
    private long _lastId;
    private bool _isClosed;

    /// <summary>Creates a table for nodes whose resources may already be partly reserved.</summary>
    /// <param name="nodes">Nodes.</param>
    /// <param name="time">Clock of claims.</param>
    /// <param name="waits">Waits of tasks for groups; null if no tasks use the table.</param>
    internal PlacementGroupTable(PlacementNodeSet nodes, TimeProvider time, IPlacementWaits? waits = null)
    {
        Waits = waits;
        _nodes = nodes;
        _time = time;
        _claims = new(this, time);
        SubscribeToNodes();
        nodes.Changed += OnNodesChanged;
    }

    internal IPlacementWaits? Waits { get; }

    internal IReadOnlyList<PlacementNode> Nodes => _nodes.Current;

    /// <summary>Demand of the first waiting group that the nodes can serve; null if none waits.</summary>
    public ResourceDemand? Wanted
    {
        get
        {
            lock (_sync)
                return FindNext() is { } next ? BundlePlacementPlanner.Sum(next.Group.MissingBundles.Select(bundle => next.Group.Demands[bundle])) : null;
        }
    }

    /// <summary>Waiting and reserved groups, oldest first.</summary>
    public IReadOnlyList<ReservedPlacementGroup> Groups
    {
        get
        {
            lock (_sync)
                return [.. _groups];
        }
    }

    /// <summary>Finds a group by id, including recently removed ones.</summary>
    /// <exception cref="InsufficientResourcesException">The group does not exist.</exception>
    public ReservedPlacementGroup Find(string id) =>
        TryFind(id) ?? throw new InsufficientResourcesException($"Placement group {id} has been removed; no work can run in it.", isPermanent: true);

    /// <summary>Finds a group by id; null if it does not exist.</summary>
    public ReservedPlacementGroup? TryFind(string id)
    {
        lock (_sync)
            return _groups.Find(group => group.Id == id) ?? _removed.FirstOrDefault(group => group.Id == id);
    }

    /// <summary>Total resources by name.</summary>
    public ImmutableSortedDictionary<string, double> Totals() => Sum(room => room.Total);

    /// <summary>Unreserved resources by name.</summary>
    public ImmutableSortedDictionary<string, double> Available() => Sum(room => room.Free);

    /// <summary>Registers a component that cancels its work when a group is removed.</summary>
    internal void Add(IPlacementGroupOccupant runner)
    {
        lock (_sync)
            _occupants.Add(runner);
    }

    /// <summary>Keeps released resources for the first waiting group; null ends the claim.</summary>
    public void Claim(ResourceDemand? wanted)
    {
        IPlacementGroupOccupant[] runners;
        lock (_sync)
            runners = [.. _occupants];
        foreach (var runner in runners)
            runner.SetGroupWaiting(wanted is not null);
        foreach (var ledger in _nodes.Ledgers)
            ledger.Claim(wanted);
    }

    /// <summary>Creates a group.</summary>
    /// <exception cref="InsufficientResourcesException">The nodes can never provide the resources, or not with this strategy.</exception>
    public ReservedPlacementGroup Create(IEnumerable<Bundle> bundles, PlacementStrategy strategy, string? name)
    {
        ArgumentNullException.ThrowIfNull(bundles);
        Bundle[] kept = [.. bundles];
        if (kept.Length == 0)
            throw new ArgumentException("A placement group must have at least one bundle.", nameof(bundles));
        ResourceDemand[] demands = [.. kept.Select(ResourceDemandFactory.Of)];
        if (Array.FindIndex(demands, demand => demand.Units.Count == 0) is >= 0 and var empty)
            throw new ArgumentException($"Bundle {empty} is empty. Specify at least one resource.", nameof(bundles));
        var id = Interlocked.Increment(ref _lastId).ToString("x8", CultureInfo.InvariantCulture);
        var group = new ReservedPlacementGroup(this, id, name, strategy, kept, demands);
        lock (_sync)
        {
            if (_isClosed)
                throw Cluster.CreateDisposedException();
            if (BundlePlacementPlanner.Decide(demands, GetNodeResources(_nodes.Current), strategy) is BundlePlacementDecision.Impossible never)
                throw new InsufficientResourcesException($"{Capital(group)} can never be reserved. {never.Because}", isPermanent: true);
            _groups.Add(group);
            _waiting.AddLast(group);
            _waitingCount = _waiting.Count;
        }

        ServeWaiting();
        _claims.Start();
        return group;
    }

    /// <summary>Adds the dependencies of a waiting group: the previous group in the queue, and its resources.</summary>
    public void AddDependencies(ReservedPlacementGroup group, ICollection<ObjectDependency> dependencies)
    {
        lock (_sync)
        {
            if (_waiting.Find(group) is not { } place)
                return;
            place.Previous?.Value.AddTo(dependencies);
        }

        WaitingResourceHolder.AddDependencies(
            dependencies, Waits!.WaitingHolders, group, _nodes.Ledgers, BundlePlacementPlanner.Sum(group.MissingBundles.Select(bundle => group.Demands[bundle])), queue: null);
    }

    /// <summary>Cancels the work in a group and releases its resources as they become free.</summary>
    public async ValueTask RemoveAsync(ReservedPlacementGroup group)
    {
        lock (_sync)
        {
            if (!group.IsRemoved)
                RemoveWaiting(group);
        }

        End(group);
        try
        {
            await group.Emptied.Task.WaitAsync(EndLimit, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Work that still runs keeps its share and releases it when it ends.
        }
    }

    /// <summary>Called under the lock.</summary>
    private void RemoveWaiting(ReservedPlacementGroup group)
    {
        group.Remove();
        _removed.Enqueue(group);
        if (_removed.Count > Remembered)
            _removed.Dequeue();
        if (_waiting.Remove(group))
            _waitingCount = _waiting.Count;
    }

    private void End(ReservedPlacementGroup group)
    {
        IPlacementGroupOccupant[] runners;
        lock (_sync)
            runners = [.. _occupants];
        group.Close();
        foreach (var runner in runners)
            runner.CancelGroupWork(group);
        foreach (var ledger in group.Ledgers)
            ledger.Released += () => ReleaseFreeBundles(group);
        ReleaseFreeBundles(group);

        // The removed group may have been the first in the queue, which blocks the others.
        ServeWaiting();
        if (_waitingCount == 0)
            _claims.Drop();
    }

    /// <summary>Accepts no more groups and cancels waiting ones.</summary>
    public void Close()
    {
        ReservedPlacementGroup[] left;
        lock (_sync)
        {
            _isClosed = true;
            left = [.. _groups];
            _waiting.Clear();
            _waitingCount = 0;
            _claims.Stop();
            foreach (var group in left)
                group.Remove();
        }

        foreach (var group in left)
            group.Close();
    }

    private static string Capital(ReservedPlacementGroup group)
    {
        var text = group.ToString();
        return char.ToUpperInvariant(text[0]) + text[1..];
    }

    private ImmutableSortedDictionary<string, double> Sum(Func<NodeResourceSnapshot, ResourceDemand> part) => GetNodeResources(_nodes.Current)
        .SelectMany(room => part(room).Units)
        .GroupBy(unit => unit.Key, StringComparer.Ordinal)
        .ToImmutableSortedDictionary(group => group.Key, group => (double)group.Sum(unit => unit.Value) / ResourceDemand.UnitsPerOne, StringComparer.Ordinal);

    private static NodeResourceSnapshot[] GetNodeResources(IEnumerable<PlacementNode> nodes) => [.. nodes.Select(node => GetResources(node.Ledger.Snapshot))];

    private static NodeResourceSnapshot GetResources(ResourceLedgerSnapshot snapshot)
    {
        var free = snapshot.Total.Units.ToBuilder();
        foreach (var (resource, units) in snapshot.Reserved.Units)
            free[resource] = free[resource] - units;
        return new(snapshot.Total, new() { Units = free.ToImmutable() });
    }

    private void SubscribeToNodes()
    {
        foreach (var ledger in _nodes.Ledgers)
            ledger.SubscribeReleased(ServeWaiting, isFirst: true);
    }

    // As in Ray, a group that has lost bundles keeps the others, and reserves the lost ones again before other groups are served.
    private void OnNodesChanged()
    {
        SubscribeToNodes();
        var closed = new List<ResourceLedger>();
        IPlacementGroupOccupant[] occupants;
        lock (_sync)
        {
            occupants = [.. _occupants];
            foreach (var group in _groups)
            {
                int[] lost = [.. Enumerable.Range(0, group.Nodes.Length).Where(bundle => group.Nodes[bundle] is { } node && _nodes.Find(node.Id) != node)];
                if (lost.Length == 0)
                    continue;
                closed.AddRange(group.LoseBundles(lost));
                if (!group.IsRemoved && _waiting.Find(group) is null)
                    _waiting.AddFirst(group);
            }

            _waitingCount = _waiting.Count;
        }

        if (closed.Count > 0)
        {
            // The occupants know the new ledgers before the former ones fail their requests.
            foreach (var occupant in occupants)
                occupant.OnBundlesLost();
            foreach (var ledger in closed)
                ledger.Close("The bundle was lost with its node.");
        }

        foreach (var group in Groups.Where(group => group.IsRemoved))
            ReleaseFreeBundles(group);
        ServeWaiting();
        _claims.Start();
    }

    private static bool TryReserve(ResourceLedger ledger, ResourceDemand demand, out ResourceAllocation? allocation)
    {
        try
        {
            return ledger.TryReserveClaimed(demand, out allocation);
        }
        catch (InsufficientResourcesException)
        {
            // The node has just left.
            allocation = null;
            return false;
        }
    }

    /// <summary>Reserves resources for the first groups of the queue as long as they fit.</summary>
    private void ServeWaiting()
    {
        // Called for every release of a node's resources; usually no group waits.
        if (_waitingCount == 0 || _sync.IsHeldByCurrentThread)
            return;
        var served = false;
        while (TakeNext() is { } taken)
        {
            served = true;
            taken.Group.Open(taken.Bundles);
        }

        if (served && _waitingCount == 0)
            _claims.Drop();
    }

    private (ReservedPlacementGroup Group, List<(ResourceLedger Ledger, PlacementNode Node, ResourceAllocation Held)> Bundles)? TakeNext()
    {
        lock (_sync)
        {
            if (FindNext() is not { Decision: BundlePlacementDecision.Place place } next)
                return null;
            var (group, bundles) = (next.Group, new List<(ResourceLedger Ledger, PlacementNode Node, ResourceAllocation Held)>());
            int[] missing = [.. group.MissingBundles];
            for (var index = 0; index < missing.Length; index++)
            {
                // All are tried even if one fails, so that other nodes grant the missing resources at the same time.
                var node = next.Nodes[place.NodeOf[index]];
                if (TryReserve(node.Ledger, group.Demands[missing[index]], out var held))
                    bundles.Add((group.Ledgers[missing[index]], node, held!));
            }

            // All or nothing: a reservation fails after a concurrent one, because the free GPU share is fragmented, or until another node has granted the resources.
            if (bundles.Count < missing.Length)
            {
                foreach (var (_, node, held) in bundles)
                    node.Ledger.Release(held);
                return null;
            }

            for (var index = 0; index < missing.Length; index++)
                (group.Nodes[missing[index]], group.Held[missing[index]]) = (bundles[index].Node, bundles[index].Held);
            _waiting.Remove(group);
            _waitingCount = _waiting.Count;
            return (group, bundles);
        }
    }

    /// <summary>Finds the first waiting group that the nodes can serve, now or later. Called under the lock.</summary>
    private (ReservedPlacementGroup Group, PlacementNode[] Nodes, BundlePlacementDecision Decision)? FindNext()
    {
        foreach (var group in _waiting)
        {
            var nodes = group.Strategy == PlacementStrategy.StrictSpread ? Array.FindAll(_nodes.Current, node => !group.Nodes.Contains(node)) : _nodes.Current;
            if (nodes.Length == 0)
                continue;
            ResourceDemand[] demands = [.. group.MissingBundles.Select(bundle => group.Demands[bundle])];
            var decision = BundlePlacementPlanner.Decide(demands, GetNodeResources(nodes), group.Strategy);
            if (decision is not BundlePlacementDecision.Impossible)
                return (group, nodes, decision);
        }

        return null;
    }

    private void ReleaseFreeBundles(ReservedPlacementGroup group)
    {
        var free = new List<(ResourceLedger Ledger, ResourceAllocation Held)>();
        bool isEmpty;
        lock (_sync)
        {
            for (var bundle = 0; bundle < group.Held.Length; bundle++)
            {
                if (group.Held[bundle] is not { } held || group.Ledgers[bundle].Snapshot.Reserved.Units.Count > 0)
                    continue;
                free.Add((group.Nodes[bundle]!.Ledger, held));
                group.Held[bundle] = null;
            }

            isEmpty = Array.TrueForAll(group.Held, held => held is null);
            if (isEmpty)
                _groups.Remove(group);
        }

        foreach (var (ledger, held) in free)
            ledger.Release(held);
        if (isEmpty)
            group.Emptied.TrySetResult();
    }
}
