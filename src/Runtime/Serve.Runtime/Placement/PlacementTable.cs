using System.Collections.Immutable;
using System.Globalization;
using Serve.Runtime.Clusters;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Placement;

/// <summary>
/// The cluster's placement groups: those that wait, first come first served, and those that hold resources. Their one writer, under its lock.
/// A group at the head of the queue that does not fit yet holds up those behind it, so that small ones cannot starve a large one.
/// </summary>
internal sealed class PlacementTable
{
    private const int Remembered = 1000;

    // In-process code that does not heed its token cannot be ended; disposing does not wait for it for ever.
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(5);
    private readonly IReadOnlyList<ClusterNode> nodes;
    private readonly TimeProvider time;
    private readonly Lock sync = new();
    private readonly List<ReservedGroup> groups = [];
    private readonly LinkedList<ReservedGroup> waiting = new();
    private readonly Queue<ReservedGroup> removed = new();
    private readonly List<IGroupOccupants> occupants = [];
    private readonly GroupClaims claims;
    private volatile int waitingCount;
    private long lastId;
    private bool isClosed;

    /// <summary>Makes one for nodes whose resources others may have reserved from already.</summary>
    /// <param name="nodes">The nodes.</param>
    /// <param name="time">The clock of claims.</param>
    /// <param name="cluster">Whose tasks may wait for groups; null for nobody's.</param>
    public PlacementTable(IReadOnlyList<ClusterNode> nodes, TimeProvider time, HeadCluster? cluster = null)
    {
        Head = cluster;
        this.nodes = nodes;
        this.time = time;
        claims = new(this, time);
        for (var index = 0; index < nodes.Count; index++)
            nodes[index].Ledger.Tell(ServeWaiting, isFirst: true);
    }

    public HeadCluster? Head { get; }

    public IReadOnlyList<ClusterNode> Nodes => nodes;

    /// <summary>What the group at the head of the queue waits for; null when none waits.</summary>
    public ResourceDemand? Wanted
    {
        get
        {
            lock (sync)
                return waiting.First?.Value is { } first ? BundlePlanner.Sum(first.Demands) : null;
        }
    }

    /// <summary>Groups that wait or hold resources, oldest first.</summary>
    public IReadOnlyList<ReservedGroup> Groups
    {
        get
        {
            lock (sync)
                return [.. groups];
        }
    }

    /// <summary>A group by its id, also one that was removed lately.</summary>
    /// <exception cref="InsufficientResourcesException">There is none.</exception>
    public ReservedGroup Find(string id) =>
        TryFind(id) ?? throw new InsufficientResourcesException($"Placement group {id} was disposed; nothing can run in it any more.", isPermanent: true);

    /// <summary>The same; null when there is none.</summary>
    public ReservedGroup? TryFind(string id)
    {
        lock (sync)
            return groups.Find(group => group.Id == id) ?? removed.FirstOrDefault(group => group.Id == id);
    }

    /// <summary>All there is, by resource.</summary>
    public ImmutableSortedDictionary<string, double> Totals() => Sum(room => room.Total);

    /// <summary>What is free at this moment, by resource.</summary>
    public ImmutableSortedDictionary<string, double> Available() => Sum(room => room.Free);

    /// <summary>Has someone end its work when a group is removed.</summary>
    public void Add(IGroupOccupants runner)
    {
        lock (sync)
            occupants.Add(runner);
    }

    /// <summary>Keeps what comes free for the group at the head of the queue, or no longer.</summary>
    public void Claim(ResourceDemand? wanted)
    {
        IGroupOccupants[] runners;
        lock (sync)
            runners = [.. occupants];
        foreach (var runner in runners)
            runner.GroupWaits(wanted is not null);
        foreach (var node in nodes)
            node.Ledger.Claim(wanted);
    }

    /// <exception cref="InsufficientResourcesException">The nodes can never have so much, or never so.</exception>
    public ReservedGroup Create(IEnumerable<Bundle> bundles, PlacementStrategy strategy, string? name)
    {
        ArgumentNullException.ThrowIfNull(bundles);
        Bundle[] kept = [.. bundles];
        if (kept.Length == 0)
            throw new ArgumentException("A placement group has at least one bundle.", nameof(bundles));
        ResourceDemand[] demands = [.. kept.Select(ResourceDemands.Of)];
        if (Array.FindIndex(demands, demand => demand.Units.Count == 0) is >= 0 and var empty)
            throw new ArgumentException($"Bundle {empty} holds nothing; say at least one resource.", nameof(bundles));
        var id = Interlocked.Increment(ref lastId).ToString("x8", CultureInfo.InvariantCulture);
        var group = new ReservedGroup(this, id, name, strategy, kept, demands);
        lock (sync)
        {
            if (isClosed)
                throw Cluster.Disposed();
            if (BundlePlanner.Decide(demands, Rooms(), strategy) is BundleDecision.Impossible never)
                throw new InsufficientResourcesException($"{Capital(group)} can never be reserved. {never.Because}", isPermanent: true);
            groups.Add(group);
            waiting.AddLast(group);
            waitingCount = waiting.Count;
        }

        ServeWaiting();
        claims.Watch();
        return group;
    }

    /// <summary>Adds what a group cannot be reserved without: those before it in the queue, and that enough is free.</summary>
    public void AddNeeds(ReservedGroup group, ICollection<ObjectNeed> needs)
    {
        lock (sync)
        {
            if (waiting.Find(group) is not { } place)
                return;
            if (place.Previous?.Value is { } before)
                needs.Add(before.Need);
        }

        if (Head!.Tasks.Deadlocks.Holders is { Count: > 0 } holders)
            needs.Add(new NeedOfResources(group, [.. nodes.Select(node => node.Ledger)], BundlePlanner.Sum(group.Demands), queue: null, holders) { Together = true });
    }

    /// <summary>Gives up a group that waits; whoever waits for it gets a failure. Does nothing to one that holds its resources.</summary>
    public void Withdraw(ReservedGroup group, Exception failure)
    {
        lock (sync)
        {
            if (!waiting.Contains(group))
                return;
            Take(group, $"{group} could not be reserved: it was waited for by what holds its resources.");
        }

        End(group, failure);
    }

    /// <summary>Ends what runs in a group and gives its resources back as they come free.</summary>
    public async ValueTask RemoveAsync(ReservedGroup group)
    {
        lock (sync)
        {
            if (!group.IsRemoved)
                Take(group);
        }

        End(group, failure: null);
        try
        {
            await group.Emptied.Task.WaitAsync(EndLimit, time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // What still runs keeps its share, and gives it back when it ends.
        }
    }

    /// <summary>Under the lock.</summary>
    private void Take(ReservedGroup group, string? because = null)
    {
        group.Remove(because);
        removed.Enqueue(group);
        if (removed.Count > Remembered)
            removed.Dequeue();
        if (waiting.Remove(group))
            waitingCount = waiting.Count;
    }

    private void End(ReservedGroup group, Exception? failure)
    {
        IGroupOccupants[] runners;
        lock (sync)
            runners = [.. occupants];
        group.Close(failure);
        foreach (var runner in runners)
            runner.EndIn(group);
        foreach (var ledger in group.Ledgers)
            ledger.Released += () => GiveBackWhatIsFree(group);
        GiveBackWhatIsFree(group);

        // The head of the queue may have been what held others up.
        ServeWaiting();
        if (waitingCount == 0)
            claims.Drop();
    }

    /// <summary>Takes no more groups; those that wait never come.</summary>
    public void Close()
    {
        ReservedGroup[] left;
        lock (sync)
        {
            isClosed = true;
            left = [.. groups];
            waiting.Clear();
            waitingCount = 0;
            claims.Stop();
            foreach (var group in left)
                group.Remove();
        }

        foreach (var group in left)
            group.Close();
    }

    private static string Capital(ReservedGroup group)
    {
        var text = group.ToString();
        return char.ToUpperInvariant(text[0]) + text[1..];
    }

    private ImmutableSortedDictionary<string, double> Sum(Func<NodeRoom, ResourceDemand> part) => Rooms()
        .SelectMany(room => part(room).Units)
        .GroupBy(unit => unit.Key, StringComparer.Ordinal)
        .ToImmutableSortedDictionary(group => group.Key, group => (double)group.Sum(unit => unit.Value) / ResourceDemand.UnitsPerOne, StringComparer.Ordinal);

    private NodeRoom[] Rooms() => [.. nodes.Select(node => Room(node.Ledger.Snapshot))];

    private static NodeRoom Room(ResourceLedgerSnapshot snapshot)
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
        if (waitingCount == 0 || sync.IsHeldByCurrentThread)
            return;
        var served = false;
        while (TakeNext() is { } group)
        {
            served = true;
            group.Open();
        }

        if (served && waitingCount == 0)
            claims.Drop();
    }

    private ReservedGroup? TakeNext()
    {
        lock (sync)
        {
            if (waiting.First?.Value is not { } group || BundlePlanner.Decide(group.Demands, Rooms(), group.Strategy) is not BundleDecision.Place place)
                return null;
            for (var bundle = 0; bundle < group.Demands.Count; bundle++)
            {
                var node = nodes[place.NodeOf[bundle]];
                if (!node.Ledger.TryReserveClaimed(group.Demands[bundle], out group.Held[bundle]))
                {
                    UndoReserved(group, bundle);
                    return null;
                }

                group.Nodes[bundle] = node;
            }

            waiting.RemoveFirst();
            waitingCount = waiting.Count;
            return group;
        }
    }

    /// <summary>Someone was faster, or the free GPU is in pieces: all or nothing.</summary>
    private static void UndoReserved(ReservedGroup group, int count)
    {
        for (var bundle = 0; bundle < count; bundle++)
        {
            group.Nodes[bundle]!.Ledger.Release(group.Held[bundle]!);
            (group.Nodes[bundle], group.Held[bundle]) = (null, null);
        }
    }

    private void GiveBackWhatIsFree(ReservedGroup group)
    {
        var free = new List<(ResourceLedger Ledger, ResourceAllocation Held)>();
        bool isEmpty;
        lock (sync)
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
                groups.Remove(group);
        }

        foreach (var (ledger, held) in free)
            ledger.Release(held);
        if (isEmpty)
            group.Emptied.TrySetResult();
    }
}
