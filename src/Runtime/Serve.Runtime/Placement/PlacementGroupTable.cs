using System.Collections.Immutable;
using System.Globalization;
using Serve.Runtime.Clusters;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Placement;

/// <summary>
/// The cluster's placement groups: those that wait, first come first served, and those that hold resources. Their one writer, under its lock.
/// A group at the head of the queue that does not fit yet holds up those behind it, so that small ones cannot starve a large one.
/// </summary>
internal sealed class PlacementGroupTable
{
    private const int Remembered = 1000;

    // In-process code that does not heed its token cannot be ended; disposing does not wait for it for ever.
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(5);
    private readonly IReadOnlyList<PlacementNode> _nodes;
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

    /// <summary>Makes one for nodes whose resources others may have reserved from already.</summary>
    /// <param name="nodes">The nodes.</param>
    /// <param name="time">The clock of claims.</param>
    /// <param name="cluster">Whose tasks may wait for groups; null for nobody's.</param>
    public PlacementGroupTable(IReadOnlyList<PlacementNode> nodes, TimeProvider time, DriverCluster? cluster = null)
    {
        Head = cluster;
        this._nodes = nodes;
        this._time = time;
        _claims = new(this, time);
        for (var index = 0; index < nodes.Count; index++)
            nodes[index].Ledger.Tell(ServeWaiting, isFirst: true);
    }

    public DriverCluster? Head { get; }

    public IReadOnlyList<PlacementNode> Nodes => _nodes;

    /// <summary>What the group at the head of the queue waits for; null when none waits.</summary>
    public ResourceDemand? Wanted
    {
        get
        {
            lock (_sync)
                return _waiting.First?.Value is { } first ? BundlePlacementPlanner.Sum(first.Demands) : null;
        }
    }

    /// <summary>Groups that wait or hold resources, oldest first.</summary>
    public IReadOnlyList<ReservedPlacementGroup> Groups
    {
        get
        {
            lock (_sync)
                return [.. _groups];
        }
    }

    /// <summary>A group by its id, also one that was removed lately.</summary>
    /// <exception cref="InsufficientResourcesException">There is none.</exception>
    public ReservedPlacementGroup Find(string id) =>
        TryFind(id) ?? throw new InsufficientResourcesException($"Placement group {id} was disposed; nothing can run in it any more.", isPermanent: true);

    /// <summary>The same; null when there is none.</summary>
    public ReservedPlacementGroup? TryFind(string id)
    {
        lock (_sync)
            return _groups.Find(group => group.Id == id) ?? _removed.FirstOrDefault(group => group.Id == id);
    }

    /// <summary>All there is, by resource.</summary>
    public ImmutableSortedDictionary<string, double> Totals() => Sum(room => room.Total);

    /// <summary>What is free at this moment, by resource.</summary>
    public ImmutableSortedDictionary<string, double> Available() => Sum(room => room.Free);

    /// <summary>Has someone end its work when a group is removed.</summary>
    public void Add(IPlacementGroupOccupant runner)
    {
        lock (_sync)
            _occupants.Add(runner);
    }

    /// <summary>Keeps what comes free for the group at the head of the queue, or no longer.</summary>
    public void Claim(ResourceDemand? wanted)
    {
        IPlacementGroupOccupant[] runners;
        lock (_sync)
            runners = [.. _occupants];
        foreach (var runner in runners)
            runner.SetGroupWaiting(wanted is not null);
        foreach (var node in _nodes)
            node.Ledger.Claim(wanted);
    }

    /// <exception cref="InsufficientResourcesException">The nodes can never have so much, or never so.</exception>
    public ReservedPlacementGroup Create(IEnumerable<Bundle> bundles, PlacementStrategy strategy, string? name)
    {
        ArgumentNullException.ThrowIfNull(bundles);
        Bundle[] kept = [.. bundles];
        if (kept.Length == 0)
            throw new ArgumentException("A placement group has at least one bundle.", nameof(bundles));
        ResourceDemand[] demands = [.. kept.Select(ResourceDemandFactory.Of)];
        if (Array.FindIndex(demands, demand => demand.Units.Count == 0) is >= 0 and var empty)
            throw new ArgumentException($"Bundle {empty} holds nothing; say at least one resource.", nameof(bundles));
        var id = Interlocked.Increment(ref _lastId).ToString("x8", CultureInfo.InvariantCulture);
        var group = new ReservedPlacementGroup(this, id, name, strategy, kept, demands);
        lock (_sync)
        {
            if (_isClosed)
                throw Cluster.CreateDisposedException();
            if (BundlePlacementPlanner.Decide(demands, GetNodeResources(), strategy) is BundlePlacementDecision.Impossible never)
                throw new InsufficientResourcesException($"{Capital(group)} can never be reserved. {never.Because}", isPermanent: true);
            _groups.Add(group);
            _waiting.AddLast(group);
            _waitingCount = _waiting.Count;
        }

        ServeWaiting();
        _claims.Start();
        return group;
    }

    /// <summary>Adds what a group cannot be reserved without: those before it in the queue, and that enough is free.</summary>
    public void AddNeeds(ReservedPlacementGroup group, ICollection<ObjectDependency> needs)
    {
        lock (_sync)
        {
            if (_waiting.Find(group) is not { } place)
                return;
            if (place.Previous?.Value is { } before)
                needs.Add(before.Need);
        }

        if (Head!.Tasks.Deadlocks.Holders is { Count: > 0 } holders)
            needs.Add(new ResourceDependency(group, [.. _nodes.Select(node => node.Ledger)], BundlePlacementPlanner.Sum(group.Demands), queue: null, holders) { Together = true });
    }

    /// <summary>Gives up a group that waits; whoever waits for it gets a failure. Does nothing to one that holds its resources.</summary>
    public void Abandon(ReservedPlacementGroup group, Exception failure)
    {
        lock (_sync)
        {
            if (!_waiting.Contains(group))
                return;
            RemoveWaiting(group, $"{group} could not be reserved: it was waited for by what holds its resources.");
        }

        End(group, failure);
    }

    /// <summary>Ends what runs in a group and gives its resources back as they come free.</summary>
    public async ValueTask RemoveAsync(ReservedPlacementGroup group)
    {
        lock (_sync)
        {
            if (!group.IsRemoved)
                RemoveWaiting(group);
        }

        End(group, failure: null);
        try
        {
            await group.Emptied.Task.WaitAsync(EndLimit, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // What still runs keeps its share, and gives it back when it ends.
        }
    }

    /// <summary>Under the lock.</summary>
    private void RemoveWaiting(ReservedPlacementGroup group, string? because = null)
    {
        group.Remove(because);
        _removed.Enqueue(group);
        if (_removed.Count > Remembered)
            _removed.Dequeue();
        if (_waiting.Remove(group))
            _waitingCount = _waiting.Count;
    }

    private void End(ReservedPlacementGroup group, Exception? failure)
    {
        IPlacementGroupOccupant[] runners;
        lock (_sync)
            runners = [.. _occupants];
        group.Close(failure);
        foreach (var runner in runners)
            runner.CancelGroupWork(group);
        foreach (var ledger in group.Ledgers)
            ledger.Released += () => ReleaseFreeBundles(group);
        ReleaseFreeBundles(group);

        // The head of the queue may have been what held others up.
        ServeWaiting();
        if (_waitingCount == 0)
            _claims.Drop();
    }

    /// <summary>Takes no more groups; those that wait never come.</summary>
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

    private ImmutableSortedDictionary<string, double> Sum(Func<NodeResourceSnapshot, ResourceDemand> part) => GetNodeResources()
        .SelectMany(room => part(room).Units)
        .GroupBy(unit => unit.Key, StringComparer.Ordinal)
        .ToImmutableSortedDictionary(group => group.Key, group => (double)group.Sum(unit => unit.Value) / ResourceDemand.UnitsPerOne, StringComparer.Ordinal);

    private NodeResourceSnapshot[] GetNodeResources() => [.. _nodes.Select(node => GetResources(node.Ledger.Snapshot))];

    private static NodeResourceSnapshot GetResources(ResourceLedgerSnapshot snapshot)
    {
        var free = snapshot.Total.Units.ToBuilder();
        foreach (var (resource, units) in snapshot.Reserved.Units)
            free[resource] = free[resource] - units;
        return new(snapshot.Total, new() { Units = free.ToImmutable() });
    }

    /// <summary>Reserves for the groups at the head of the queue as long as they fit.</summary>
    private void ServeWaiting()
    {
        // Called for every release of a node: the usual answer is no.
        if (_waitingCount == 0 || _sync.IsHeldByCurrentThread)
            return;
        var served = false;
        while (TakeNext() is { } group)
        {
            served = true;
            group.Open();
        }

        if (served && _waitingCount == 0)
            _claims.Drop();
    }

    private ReservedPlacementGroup? TakeNext()
    {
        lock (_sync)
        {
            if (_waiting.First?.Value is not { } group || BundlePlacementPlanner.Decide(group.Demands, GetNodeResources(), group.Strategy) is not BundlePlacementDecision.Place place)
                return null;
            for (var bundle = 0; bundle < group.Demands.Count; bundle++)
            {
                var node = _nodes[place.NodeOf[bundle]];
                if (!node.Ledger.TryReserveClaimed(group.Demands[bundle], out group.Held[bundle]))
                {
                    UndoReserved(group, bundle);
                    return null;
                }

                group.Nodes[bundle] = node;
            }

            _waiting.RemoveFirst();
            _waitingCount = _waiting.Count;
            return group;
        }
    }

    /// <summary>Someone was faster, or the free GPU is in pieces: all or nothing.</summary>
    private static void UndoReserved(ReservedPlacementGroup group, int count)
    {
        for (var bundle = 0; bundle < count; bundle++)
        {
            group.Nodes[bundle]!.Ledger.Release(group.Held[bundle]!);
            (group.Nodes[bundle], group.Held[bundle]) = (null, null);
        }
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
