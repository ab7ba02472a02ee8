using Serve.Calls;
using Serve.Routes;

namespace Serve.Routing.Tests;

public sealed class MultiplexedModelRoutingTests : IDisposable
{
    private readonly RoutingTestWorld _world = new();
    private static readonly NodeId Node = new("n1");
    private long _reported;

    private DeploymentRouter Router => _world.Router("A");

    [Fact]
    public void TryAcquire_ReplicaHasTheModel_PicksIt()
    {
        _world.Deploy("a/A", "r1 r2 r3", max: 100).Publish();
        Report("r1: x", "r2: y", "r3: z");

        for (var i = 0; i < 50; i++)
            Assert.Equal("r2", Pick("y"));
    }

    [Fact]
    public void TryAcquire_SeveralReplicasHaveTheModel_PicksTheLeastLoadedThatHasItLoaded()
    {
        _world.Deploy("a/A", "r1 r2 r3", max: 100).Publish();
        Report("r1: y", "r2: y", "r3: y?");
        Assert.True(Router.TryAcquire("y", out var first));
        Assert.True(Router.TryAcquire("y", out var second));

        Assert.Equal(["r1", "r2"], new[] { Id(first), Id(second) }.Order());
        Assert.NotEqual("r3", Pick("y"));
    }

    [Fact]
    public void TryAcquire_NoReplicaHasTheModel_PicksTheOneWithFewestModelsRepeatedly()
    {
        _world.Deploy("a/A", "r1 r2 r3", max: 100).Publish();
        Report("r1: a b", "r2: c", "r3: d e");

        Assert.Equal("r2", Pick("new"));
        for (var i = 0; i < 20; i++)
            Assert.Equal("r2", Pick("new"));
    }

    [Fact]
    public void TryAcquire_NoFreeModelSlots_PicksTheReplicaWithTheLeastRecentlyUsedModel()
    {
        _world.Deploy("a/A", "r1 r2 r3", max: 100).Publish();
        Report("r1/1:", "r2/1:", "r3/1:");
        Dictionary<string, string> homes = [];
        foreach (var model in (string[])["a", "b", "c", "a", "c"])
            homes[model] = Pick(model);

        Assert.Equal(3, homes.Values.Distinct().Count());
        Assert.Equal(homes["b"], Pick("new"));
        Assert.Equal(homes["a"], Pick("newer"));
    }

    [Fact]
    public void ApplyModelReports_WithoutARecentPick_PickTakesPrecedenceForASecond()
    {
        _world.Deploy("a/A", "r1 r2", max: 100).Publish();
        Report("r1:", "r2: q");
        Assert.Equal("r1", Pick("m"));

        Report("r1: x y", "r2: q");
        Assert.Equal("r1", Pick("m"));

        _world.Clock.Advance(TimeSpan.FromSeconds(1.1));
        Report("r1: x y", "r2: q");
        Assert.Equal("r2", Pick("m"));
    }

    [Fact]
    public void ApplyModelReports_WithARecentlyEvictedModel_EvictionTakesPrecedence()
    {
        _world.Deploy("a/A", "r1 r2", max: 100).Publish();
        Report("r1/1: old", "r2/1: other");
        _world.Clock.Advance(TimeSpan.FromMilliseconds(5));
        Assert.Equal("r2", Pick("other"));
        Assert.Equal("r1", Pick("new"));

        Report("r1/1: old", "r2/1: other");
        _world.Clock.Advance(TimeSpan.FromMilliseconds(5));

        // If "old" still counted as loaded, it would be sent to r1, which is loading "new" in its place.
        Assert.Equal("r1", Pick("new"));
        Assert.Equal("r2", Pick("old"));
    }

    [Fact]
    public void ApplyModelReports_SameReportAgain_DoesNotChangeTheLastUse()
    {
        _world.Deploy("a/A", "r1 r2", max: 100).Publish();
        var reports = Reports("r1/1: a", "r2/1: b");
        _world.Table.ApplyModelReports(Node, new(1, 1), reports);
        _world.Clock.Advance(TimeSpan.FromSeconds(5));
        Pick("a");
        _world.Clock.Advance(TimeSpan.FromSeconds(5));

        _world.Table.ApplyModelReports(Node, new(1, 2), reports);

        Assert.Equal("r2", Pick("new"));
    }

    [Fact]
    public void ApplyModelReports_ModelNoLongerListed_IsRemoved()
    {
        _world.Deploy("a/A", "r1 r2", max: 100).Publish();
        Report("r1: m", "r2:");

        Report("r1: x y", "r2:");

        Assert.Equal("r2", Pick("m"));
    }

    [Fact]
    public void ApplyModelReports_IdleTime_IsTheReplicas()
    {
        _world.Deploy("a/A", "r1 r2", max: 100).Publish();
        Report("r1/1: a@1000", "r2/1: b@5000");

        Assert.Equal("r2", Pick("new"));
    }

    [Fact]
    public void ApplyModelReports_WithoutARecentUse_KeepsTheLastUse()
    {
        _world.Deploy("a/A", "r1 r2", max: 100).Publish();
        Report("r1/1: a", "r2/1: b");
        _world.Clock.Advance(TimeSpan.FromSeconds(10));
        Pick("b");
        _world.Clock.Advance(TimeSpan.FromSeconds(1));

        Report("r1/1: a@2000", "r2/1: b@11000");

        Assert.Equal("r1", Pick("new"));
    }

    [Fact]
    public void TryAcquire_EvictedModelRequestedAgain_IsHeldButNotLoaded()
    {
        _world.Deploy("a/A", "r1 r2", max: 2).Publish();
        Report("r1/1: old", "r2/1: other");
        _world.Clock.Advance(TimeSpan.FromMilliseconds(5));
        Pick("other");
        Assert.Equal("r1", Pick("new"));
        Pick("other");
        Assert.Equal("r1", Pick("old"));

        // It counts as held: a request waits for its busy holder.
        Assert.True(Router.TryAcquire("old", out var one));
        Assert.True(Router.TryAcquire("old", out var other));
        Assert.Equal(("r1", "r1"), (Id(one), Id(other)));
        Assert.False(Router.TryAcquire("old", out _));
        one.Release();
        other.Release();

        // A replica that has loaded it is preferred, although it has more leases.
        Report("r1/1:", "r2/1: old");
        Assert.True(Router.TryAcquire("old", out var loaded));
        Assert.Equal("r2", Id(loaded));
        Assert.Equal("r2", Pick("old"));
    }

    [Fact]
    public void TryAcquire_NoModelLimit_PicksTheReplicaWithFewestModelsAndEvictsNone()
    {
        _world.Deploy("a/A", "r1 r2", max: 1).Publish();
        Report("r1/-1: b c d", "r2/-1: a");
        Assert.Equal("r2", Pick("new"));

        Assert.True(Router.TryAcquire("new", out _));

        // Its holder is busy, so the request waits for it.
        Assert.False(Router.TryAcquire("a", out _));
    }

    [Fact]
    public void TryAcquire_EqualFreeModelSlots_PicksTheLeastLoaded()
    {
        _world.Deploy("a/A", "r1 r2", max: 100).Publish();
        Report("r1: a", "r2: b");
        Pick("a", release: false);
        Pick("b");

        Assert.Equal("r2", Pick("new"));
    }

    [Fact]
    public void TryAcquire_MoreModelsThanTheLimit_CountsAsNoFreeSlot()
    {
        _world.Deploy("a/A", "r1 r2", max: 100).Publish();
        Report("r1/1: a b", "r2/1: c");
        Pick("c");

        Assert.Equal("r1", Pick("new"));
    }

    [Fact]
    public void TryAcquire_ReplicasWithModelsBusy_PicksOneWithoutReport()
    {
        _world.Deploy("a/A", "r1 r2", max: 1).Publish();
        Report("r1: x");
        Assert.True(Router.TryAcquire("x", out _));

        Assert.Equal("r2", Pick("m"));
    }

    [Fact]
    public async Task AcquireAsync_NoReplicaLeft_ThrowsWithTheReason()
    {
        _world.Deploy("a/A", "r1", max: 1).Publish();
        Report("r1: x");

        _world.Deploy("a/A", "", unavailable: "its constructor threw").Publish();

        var error = await Assert.ThrowsAsync<NoReplicaException>(() => Router.AcquireAsync("x", default).AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Contains("its constructor threw", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("r1~200: m", "r2~400: other", 300)]
    [InlineData("r1~5000: m", "r2: other", 1000)]
    public async Task AcquireAsync_HolderStaysBusy_WaitsForTheAverageLoadTimeAtMostASecond(string one, string other, int milliseconds)
    {
        _world.Deploy("a/A", "r1 r2", max: 1).Publish();
        Report(one, other);
        Assert.True(Router.TryAcquire("m", out _));
        var waiting = Router.AcquireAsync("m", default).AsTask();

        _world.Clock.Advance(TimeSpan.FromMilliseconds(milliseconds - 10));
        Assert.Equal(1, Router.Queued);
        _world.Clock.Advance(TimeSpan.FromMilliseconds(20));

        Assert.Equal(0, Router.Queued);
        Assert.Equal("r2", Id(await waiting.WaitAsync(TimeSpan.FromSeconds(10))));
    }

    [Fact]
    public async Task AcquireAsync_HolderBusy_WaitsForIt()
    {
        _world.Deploy("a/A", "r1 r2", max: 1).Publish();
        Report("r1: m", "r2: other");
        Assert.True(Router.TryAcquire("m", out var held));

        var waiting = Router.AcquireAsync("m", default).AsTask();
        Assert.False(waiting.IsCompleted);
        held.Release();

        Assert.Equal("r1", Id(await waiting));
    }

    [Fact]
    public async Task AcquireAsync_HolderStaysBusy_AnotherReplicaLoadsTheModelAfterASecond()
    {
        _world.Deploy("a/A", "r1 r2", max: 1).Publish();
        Report("r1: m", "r2: other");
        Assert.True(Router.TryAcquire("m", out _));
        var waiting = Router.AcquireAsync("m", default).AsTask();

        _world.Clock.Advance(TimeSpan.FromMilliseconds(900));
        Assert.False(waiting.IsCompleted);
        _world.Clock.Advance(TimeSpan.FromMilliseconds(200));

        Assert.Equal("r2", Id(await waiting.WaitAsync(TimeSpan.FromSeconds(10))));
        (await waiting).Release();
        // The pick is recorded.
        Assert.Equal("r2", Pick("m"));
    }

    [Fact]
    public async Task AcquireAsync_ShortLoadTime_WaitsNoLonger()
    {
        _world.Deploy("a/A", "r1 r2", max: 1).Publish();
        Report("r1~50: m", "r2: other");
        Assert.True(Router.TryAcquire("m", out _));
        var waiting = Router.AcquireAsync("m", default).AsTask();

        _world.Clock.Advance(TimeSpan.FromMilliseconds(40));
        Assert.False(waiting.IsCompleted);
        _world.Clock.Advance(TimeSpan.FromMilliseconds(15));

        Assert.Equal("r2", Id(await waiting.WaitAsync(TimeSpan.FromSeconds(10))));
    }

    [Fact]
    public async Task AcquireAsync_RequestWaitsForAHolder_OthersOvertake()
    {
        _world.Deploy("a/A", "r1 r2", max: 1, queue: 1).Publish();
        Report("r1: m", "r2: other");
        Assert.True(Router.TryAcquire("m", out _));
        var waiting = Router.AcquireAsync("m", default).AsTask();

        var other = await Router.AcquireAsync("other", default).AsTask().WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal("r2", Id(other));
        other.Release();
        var plain = await Router.AcquireAsync(default).AsTask().WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal("r2", Id(plain));

        // All replicas are busy, and the queue is full with one request.
        await Assert.ThrowsAsync<OverloadedException>(() => Router.AcquireAsync("m", default).AsTask());
        await Assert.ThrowsAsync<OverloadedException>(() => Router.AcquireAsync(default).AsTask());
        Assert.False(waiting.IsCompleted);
        Assert.Equal(1, Router.Queued);
    }

    [Fact]
    public async Task AcquireAsync_SeveralWaitForModels_AreServedInOrder()
    {
        _world.Deploy("a/A", "r1", max: 1).Publish();
        Report("r1: m n");
        Assert.True(Router.TryAcquire("m", out var held));
        var waiters = ((string?[])["m", "n", null, "m", "n"]).Select(model => Router.AcquireAsync(model, default).AsTask()).ToArray();

        foreach (var waiter in waiters)
        {
            held.Release();
            Assert.Same(waiter, await Task.WhenAny(waiters.Where(task => task == waiter || !task.IsCompleted)));
            held = await waiter;
        }
    }

    [Fact]
    public async Task ReacquireAsync_OthersWaitInOtherQueues_IsServedFirst()
    {
        _world.Deploy("a/A", "r1", max: 1).Publish();
        Report("r1: m n");
        Assert.True(Router.TryAcquire("m", out var held));
        var plain = Router.AcquireAsync(default).AsTask();
        var other = Router.AcquireAsync("n", default).AsTask();
        var again = Router.ReacquireAsync("m", default).AsTask();

        held.Release();

        Assert.Same(again, await Task.WhenAny(plain, other, again).WaitAsync(TimeSpan.FromSeconds(10)));
        (await again).Release();
        Assert.Same(plain, await Task.WhenAny(plain, other).WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task AcquireAsync_HeadOfAQueueIsCanceled_OtherQueuesKeepTheirDeadline()
    {
        _world.Deploy("a/A", "r1 r2", max: 1).Publish();
        Report("r1: m n", "r2: other");
        Assert.True(Router.TryAcquire("m", out _));
        using var stop = new CancellationTokenSource();
        var leaves = Router.AcquireAsync("m", stop.Token).AsTask();
        _world.Clock.Advance(TimeSpan.FromMilliseconds(100));
        var waiting = Router.AcquireAsync("n", default).AsTask();
        _world.Clock.Advance(TimeSpan.FromMilliseconds(400));
        var later = Router.AcquireAsync("m", default).AsTask();
        await stop.CancelAsync();

        _world.Clock.Advance(TimeSpan.FromMilliseconds(550));
        Assert.Equal(2, Router.Queued);
        _world.Clock.Advance(TimeSpan.FromMilliseconds(60));

        Assert.Equal("r2", Id(await waiting.WaitAsync(TimeSpan.FromSeconds(10))));
        Assert.Equal(1, Router.Queued);
        Assert.False(later.IsCompleted);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaves);
    }

    [Fact]
    public async Task AcquireAsync_DeadlinePassedAndAllBusy_WaitsForAnyReplica()
    {
        _world.Deploy("a/A", "r1", max: 1).Publish();
        Report("r1: m");
        Assert.True(Router.TryAcquire("m", out var held));
        var one = Router.AcquireAsync("m", default).AsTask();
        _world.Clock.Advance(TimeSpan.FromMilliseconds(1200));
        var other = Router.AcquireAsync("n", default).AsTask();
        Assert.Equal(2, Router.Queued);

        held.Release();

        (await one.WaitAsync(TimeSpan.FromSeconds(10))).Release();
        Assert.Equal("r1", Id(await other.WaitAsync(TimeSpan.FromSeconds(10))));
    }

    [Fact]
    public async Task AcquireAsync_CanceledAfterAReplicaWasAssigned_KeepsIt()
    {
        _world.Deploy("a/A", "r1", max: 1).Publish();
        Report("r1: m");
        Assert.True(Router.TryAcquire("m", out var held));
        Assert.Equal(1, Router.Immediate);
        using var stop = new CancellationTokenSource();
        var waiting = Router.AcquireAsync("m", stop.Token).AsTask();

        held.Release();
        stop.Cancel();

        Assert.Equal("r1", Id(await waiting.WaitAsync(TimeSpan.FromSeconds(10))));
        Assert.Equal(1, Router.Immediate);
    }

    [Fact]
    public async Task AcquireAsync_CanceledWhileWaitingForAHolder_IsRemovedFromTheQueue()
    {
        _world.Deploy("a/A", "r1 r2", max: 1).Publish();
        Report("r1: m", "r2: other");
        Assert.True(Router.TryAcquire("m", out _));
        using var stop = new CancellationTokenSource();
        var waiting = Router.AcquireAsync("m", stop.Token).AsTask();

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(0, Router.Queued);
        Assert.True(Router.TryAcquire(out _));
    }

    [Fact]
    public async Task AcquireAsync_HolderGone_DoesNotWaitForIt()
    {
        _world.Deploy("a/A", "r1 r2", max: 1).Publish();
        Report("r1: m", "r2: other");
        Assert.True(Router.TryAcquire("m", out var lease));

        lease.Refuse(gone: true);

        Assert.Equal("r2", Id(await Router.ReacquireAsync("m", default)));
    }

    [Fact]
    public void Apply_HolderRemoved_ItsModelsAreRemoved()
    {
        _world.Deploy("a/A", "r1 r2", max: 100).Publish();
        Report("r1: m", "r2: a b");
        Assert.Equal("r1", Pick("m"));

        _world.Deploy("a/A", "r2 r3", max: 100).Publish();
        Report("r1: m", "r2: a b", "r3:");

        Assert.Equal("r3", Pick("m"));
        Assert.Equal("r3", Pick("m"));
    }

    [Fact]
    public void ApplyModelReports_TwoNodes_AreKeptPerNode()
    {
        _world.Deploy("a/A", "r1 r2", max: 100).Publish();
        _world.Table.ApplyModelReports(new("n1"), new(1, 7), Reports("r1: x"));
        _world.Table.ApplyModelReports(new("n2"), new(1, 1), Reports("r2: y"));
        for (var i = 0; i < 10; i++)
            Assert.Equal(("r1", "r2"), (Pick("x"), Pick("y")));
    }

    [Fact]
    public void ApplyModelReports_OlderVersionOfTheNode_IsIgnored()
    {
        _world.Deploy("a/A", "r1 r2", max: 100).Publish();
        _world.Table.ApplyModelReports(Node, new(1, 2), Reports("r1: m", "r2:"));
        _world.Table.ApplyModelReports(Node, new(1, 1), Reports("r1: x y", "r2: m"));
        Assert.Equal("r1", Pick("m"));
    }

    [Fact]
    public void ApplyModelReports_BeforeTheRoutes_AppliesWithThem()
    {
        _world.Table.ApplyModelReports(Node, new(1, 1), Reports("r1: a", "r2: m"));
        _world.Deploy("a/A", "r1 r2", max: 100).Publish();

        for (var i = 0; i < 20; i++)
            Assert.Equal("r2", Pick("m"));
    }

    [Fact]
    public void TryAcquire_NoReplicaMultiplexes_IgnoresTheModel()
    {
        _world.Deploy("a/A", "r1 r2 r3", max: 100).Publish();

        var picked = Enumerable.Range(0, 60).Select(_ => Pick("m", release: false)).CountBy(id => id).ToDictionary();

        Assert.False(Router.IsMultiplexed);
        Assert.Equal(3, picked.Count);
    }

    [Fact]
    public void TryAcquire_NoModel_SpreadsOverAllReplicas()
    {
        _world.Deploy("a/A", "r1 r2 r3", max: 100).Publish();
        Report("r1: m", "r2: a b c", "r3:");

        var picked = Enumerable.Range(0, 60).Select(_ => Pick(null, release: false)).CountBy(id => id).ToDictionary();

        Assert.Equal(3, picked.Count);
        Assert.All(picked.Values, count => Assert.InRange(count, 15, 25));
    }

    [Fact]
    public async Task InvokeAsync_ModelInContext_IsSentToItsHolder()
    {
        _world.Deploy("a/A", "r1 r2 r3", max: 100).Publish();
        Report("r1: x", "r2: y", "r3: z");
        var target = _world.Table.GetTarget("A");

        for (var i = 0; i < 20; i++)
            Assert.Equal("r3", await target.InvokeAsync(new NamedMethodCall<string>("Call"), new CallContext { MultiplexedModelId = "z" }, default));
        await foreach (var id in target.StreamAsync(new NamedMethodCall<IAsyncEnumerable<string>>("Call"), new CallContext { MultiplexedModelId = "x" }, default))
            Assert.Equal("r1", id);
    }

    [Fact]
    public void Pick_ConcurrentRequestsForAMissingModel_OneReplicaLoadsIt()
    {
        _world.Deploy("a/A", "r1 r2 r3", max: 10_000).Publish();
        Report("r1:", "r2:", "r3:");
        for (var round = 0; round < 50; round++)
        {
            var picked = new string[64];
            Parallel.For(0, picked.Length, i => picked[i] = Pick($"m{round}", release: false, advance: false));
            Assert.Single(picked.Distinct());
        }
    }

    public void Dispose() => _world.Dispose();

    private static string Id(ReplicaLease lease) => lease.Slot.Route.ReplicaId;

    private string Pick(string? model, bool release = true, bool advance = true)
    {
        Assert.True(Router.TryAcquire(model, out var lease));
        if (release)
            lease.Release();
        // So that no two uses have the same timestamp.
        if (advance)
            _world.Clock.Advance(TimeSpan.FromMilliseconds(1));
        return Id(lease);
    }

    private void Report(params string[] lines) => _world.Table.ApplyModelReports(Node, new(1, ++_reported), Reports(lines));

    /// <summary>
    /// One line per replica: <c>id/max~loadMs: model model</c>. The default of max is 3; <c>?</c> after a model means that it is not loaded yet, <c>@ms</c> is its idle time.
    /// </summary>
    private Dictionary<string, ReplicaModelReport> Reports(params string[] lines) => lines.ToDictionary(
        line => line.Split(':')[0].Split('/', '~')[0],
        line =>
        {
            var (head, models) = (line.Split(':')[0], line.Split(':')[1]);
            return new ReplicaModelReport
            {
                Sequence = _reported,
                MaxModels = head.Contains('/') ? int.Parse(head.Split('/')[1]) : 3,
                LoadMs = head.Contains('~') ? double.Parse(head.Split('~')[1]) : 0,
                Models = [.. models.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(model => new ReportedModel(
                    model.TrimEnd('?').Split('@')[0], !model.EndsWith('?'), model.Contains('@') ? long.Parse(model.Split('@')[1]) : 0))],
            };
        });
}
