using Microsoft.Extensions.Time.Testing;
using Serve.Runtime.Placement;

namespace Serve.Runtime.Tests.Placement;

public sealed class PlacementGroupTableTests
{
    private readonly ResourceLedger _node = new(Cpus(4).With(ResourceDemand.Gpu, 2));
    private readonly FakeTimeProvider _time = new();
    private readonly PlacementGroupTable _table;

    public PlacementGroupTableTests() => _table = new(new PlacementNodeSet(new PlacementNode(PlacementNode.OnlyId, _node)), _time);

    [Fact]
    public async Task Create_EnoughFree_ReservesAll()
    {
        var group = _table.Create([new() { Cpus = 1 }, new() { Cpus = 2 }], PlacementStrategy.Pack, "pair");
        Assert.True(group.Ready.IsCompletedSuccessfully);
        Assert.Equal("CPU 3", _node.Snapshot.Reserved.ToString());
        Assert.Equal(1, _table.Available()["CPU"]);
        await group.DisposeAsync();
        Assert.Empty(_node.Snapshot.Reserved.Units);
        Assert.Empty(_table.Groups);
    }

    [Fact]
    public async Task Create_NotEnoughFree_ReservesNothingUntilAllFit()
    {
        var taken = _node.Reserve(Cpus(2));
        var group = _table.Create([new() { Cpus = 1 }, new() { Cpus = 2 }], PlacementStrategy.Pack, null);
        Assert.False(group.Ready.IsCompleted);
        Assert.Equal("CPU 2", _node.Snapshot.Reserved.ToString());
        Assert.False(group.Ledgers[0].TryReserve(Cpus(1), out _));
        _node.Release(taken);
        await group.Ready;
        Assert.Equal("CPU 3", _node.Snapshot.Reserved.ToString());
        Assert.True(group.Ledgers[0].TryReserve(Cpus(1), out _));
    }

    [Fact]
    public async Task Create_LargeGroupWaits_LaterGroupsDoNotOvertake()
    {
        var taken = _node.Reserve(Cpus(3));
        var large = _table.Create([new() { Cpus = 4 }], PlacementStrategy.Pack, null);
        var small = _table.Create([new() { Cpus = 1 }], PlacementStrategy.Pack, null);
        Assert.False(small.Ready.IsCompleted);
        _node.Release(taken);
        await large.Ready;
        Assert.False(small.Ready.IsCompleted);
        await large.DisposeAsync();
        await small.Ready;
    }

    [Fact]
    public async Task Remove_FirstInQueue_UnblocksLaterGroups()
    {
        _node.Reserve(Cpus(3));
        var large = _table.Create([new() { Cpus = 4 }], PlacementStrategy.Pack, null);
        var small = _table.Create([new() { Cpus = 1 }], PlacementStrategy.Pack, null);
        await large.DisposeAsync();
        await small.Ready;
        Assert.True(large.Ready.IsCanceled);
    }

    [Fact]
    public async Task Create_SteadyTasks_GroupIsNotStarved()
    {
        // Tasks follow each other on each CPU: two CPUs are never free at the same time.
        var running = Enumerable.Range(0, 4).Select(_ => _node.Reserve(Cpus(1))).ToArray();
        var group = _table.Create([new() { Cpus = 2 }], PlacementStrategy.Pack, null);
        void NextTaskOn(int cpu)
        {
            if (running[cpu] is { } ended)
                _node.Release(ended);
            running[cpu] = _node.TryReserve(Cpus(1), out var next) ? next! : null!;
        }

        NextTaskOn(0);
        NextTaskOn(1);
        Assert.False(group.Ready.IsCompleted);
        Assert.All(running, Assert.NotNull);
        _time.Advance(TimeSpan.FromMilliseconds(50));
        NextTaskOn(0);
        Assert.Null(running[0]);
        NextTaskOn(1);
        await group.Ready;

        // Other tasks are admitted again.
        NextTaskOn(2);
        Assert.NotNull(running[2]);
    }

    [Fact]
    public void Create_GroupWaits_TasksAreNotBlockedPermanently()
    {
        _node.Reserve(Cpus(2));
        var group = _table.Create([new() { Cpus = 4 }], PlacementStrategy.Pack, null);
        _time.Advance(TimeSpan.FromMilliseconds(50));
        Assert.False(_node.TryReserve(Cpus(1), out _));
        _time.Advance(TimeSpan.FromMilliseconds(50));
        Assert.True(_node.TryReserve(Cpus(1), out _));
        _time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.False(_node.TryReserve(Cpus(1), out _));
        Assert.False(group.Ready.IsCompleted);
    }

    [Fact]
    public void Create_Impossible_ThrowsReason()
    {
        var refused = Assert.Throws<InsufficientResourcesException>(
            () => _table.Create([new() { Cpus = 1 }, new() { Cpus = 1 }], PlacementStrategy.StrictSpread, "apart"));
        Assert.True(refused.IsPermanent);
        Assert.StartsWith("Placement group 'apart' can never be reserved. STRICT_SPREAD needs a distinct node for each of its 2 bundles, but there is 1 node.", refused.Message, StringComparison.Ordinal);
        Assert.Empty(_table.Groups);
    }

    [Fact]
    public void Create_NoBundlesOrEmptyBundle_Throws()
    {
        Assert.Throws<ArgumentException>(() => _table.Create([], PlacementStrategy.Pack, null));
        Assert.Throws<ArgumentException>(() => _table.Create([new() { Cpus = 1 }, new()], PlacementStrategy.Pack, null));
        Assert.Throws<ArgumentException>(() => _table.Create([new() { Cpus = -1 }], PlacementStrategy.Pack, null));
    }

    [Fact]
    public async Task Remove_WorkInGroup_IsCanceledAndReleasesResources()
    {
        var group = _table.Create([new() { Cpus = 1 }, new() { Cpus = 2 }], PlacementStrategy.Pack, null);
        var running = group.Ledgers[1].Reserve(Cpus(1));
        var occupants = new FakeGroupOccupant();
        _table.Add(occupants);
        var removal = group.DisposeAsync().AsTask();
        Assert.Same(group, occupants.Ended);
        Assert.Equal("CPU 2", _node.Snapshot.Reserved.ToString());
        Assert.False(removal.IsCompleted);
        group.Ledgers[1].Release(running);
        await removal;
        Assert.Empty(_node.Snapshot.Reserved.Units);
    }

    [Fact]
    public async Task Remove_WorkNeverEnds_CompletesAfterTimeout()
    {
        var group = _table.Create([new() { Cpus = 1 }], PlacementStrategy.Pack, null);
        group.Ledgers[0].Reserve(Cpus(1));
        var removal = group.DisposeAsync().AsTask();
        _time.Advance(TimeSpan.FromSeconds(5));
        await removal;
        Assert.Equal("CPU 1", _node.Snapshot.Reserved.ToString());
    }

    [Fact]
    public async Task Remove_WaitersForBundle_Fail()
    {
        var group = _table.Create([new() { Cpus = 1 }], PlacementStrategy.Pack, "gone");
        group.Ledgers[0].Reserve(Cpus(1));
        var told = 0;
        group.Ledgers[0].Released += () => told++;
        var removal = group.DisposeAsync().AsTask();
        Assert.Equal(1, told);
        var refused = Assert.Throws<InsufficientResourcesException>(() => group.Ledgers[0].TryReserve(Cpus(1), out _));
        Assert.True(refused.IsPermanent);
        Assert.Contains("placement group 'gone' has been removed", refused.Message, StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromSeconds(5));
        await removal;
    }

    [Fact]
    public void Create_GpuBundles_AssignNodeDevices()
    {
        _node.Reserve(ResourceDemand.None.With(ResourceDemand.Gpu, 1));
        var group = _table.Create([new() { Gpus = 0.5 }, new() { Gpus = 0.25 }], PlacementStrategy.Pack, null);
        Assert.Equal(1, Assert.Single(group.Ledgers[0].Reserve(ResourceDemand.None.With(ResourceDemand.Gpu, 0.5)).GpuIds));
        var quarter = group.Ledgers[1].Reserve(ResourceDemand.None.With(ResourceDemand.Gpu, 0.25));
        Assert.Equal(1, Assert.Single(quarter.GpuIds));
        Assert.False(group.Ledgers[1].TryReserve(ResourceDemand.None.With(ResourceDemand.Gpu, 0.1), out _));
        group.Ledgers[1].Release(quarter);
        Assert.True(group.Ledgers[1].TryReserve(ResourceDemand.None.With(ResourceDemand.Gpu, 0.1), out _));
    }

    [Fact]
    public async Task Create_FragmentedGpus_WaitsForWholeDevice()
    {
        // 0.6 and 0.6 are on two devices: 0.8 is free, but at most 0.4 on each.
        var first = _node.Reserve(ResourceDemand.None.With(ResourceDemand.Gpu, 0.6));
        _node.Reserve(ResourceDemand.None.With(ResourceDemand.Gpu, 0.6));
        var group = _table.Create([new() { Cpus = 1 }, new() { Gpus = 0.8 }], PlacementStrategy.Pack, null);
        Assert.False(group.Ready.IsCompleted);
        Assert.False(_node.Snapshot.Reserved.Units.ContainsKey(ResourceDemand.Cpu));
        _node.Release(first);
        await group.Ready;
    }

    [Fact]
    public async Task CreateAndRemove_ManyThreads_ReleasesEverything()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            for (var round = 0; round < 200; round++)
            {
                var group = _table.Create([new() { Cpus = 1 + (worker % 2) }, new() { Cpus = 1 }], PlacementStrategy.Spread, null);
                await group.Ready;
                Assert.InRange(_node.Snapshot.Reserved.Units[ResourceDemand.Cpu], 1, 4 * ResourceDemand.UnitsPerOne);
                await group.DisposeAsync();
            }
        }))).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Empty(_node.Snapshot.Reserved.Units);
    }

    private static ResourceDemand Cpus(double amount) => ResourceDemand.None.With(ResourceDemand.Cpu, amount);

    private sealed class FakeGroupOccupant : IPlacementGroupOccupant
    {
        public PlacementGroup? Ended { get; private set; }

        public void CancelGroupWork(PlacementGroup group) => Ended = group;
    }
}
