using System.Collections.Immutable;
using Serve.Runtime.Clusters;
using Serve.Runtime.Tasks;
using Serve.Runtime.TestWorker;
using Serve.Runtime.Tests.Testing;
using Serve.Runtime.Workers.Processes;

namespace Serve.Runtime.Tests.Sessions;

/// <summary>Waits that can never end are told, those that can are not: here and in workers.</summary>
public sealed class DeadlockDetectorTests
{
    public static TheoryData<string, Isolation> Ways { get; } = Combine("one", "helper", "many", "all of them", "two of them", "as a task", "all tasks");

    public static TheoryData<string, Isolation> WaysOut { get; } = Combine("one of them", "two of three", "any task", "for a moment", "until cancelled");

    public static TheoryData<string, Isolation> GroupWays { get; } = Combine("ready", "all", "task inside", "actor inside");

    public static TheoryData<string, Isolation> GroupWaysOut { get; } = Combine("any", "ask");

    public static TheoryData<Isolation> Both { get; } = new(Isolation.None, Isolation.Process);

    public static TheoryData<string, Isolation> Rings { get; } = Combine("block", "await", "await all");

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Await_OfATaskThatWaitsForIt_IsTold(string how, Isolation isolation)
    {
        await using var ray = Make(isolation);
        var (queue, other) = (ray.Queue<ObjectRef<int>[]>(), ray.Queue<ObjectRef<int>[]>());
        var first = ray.Circles.Await.Options(new() { Name = "first" }).Remote(queue, how);
        var second = ray.Circles.Await.Options(new() { Name = "second" }).Remote(other, how);
        ObjectRef<int>[] others = [ray.Put(1), ray.Circles.One.Remote()];
        await queue.Put(how is "one" or "helper" or "as a task" ? [second] : [others[0], second]);
        await other.Put([first, others[1]]);

        var told = await Assert.ThrowsAsync<DeadlockException>(async () => await first.AsTask().SoonAsync());

        Assert.Matches(@"task (first|second) \(\w+\) waits for task (first|second) \(\w+\)", told.Message);
        await Assert.ThrowsAsync<DeadlockException>(async () => await second.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(WaysOut))]
    public async Task Await_OfATaskThatWaitsForItThatMayEndOtherwise_IsNotTold(string how, Isolation isolation)
    {
        await using var ray = Make(isolation);
        var (queue, other, until) = (ray.Queue<ObjectRef<int>[]>(), ray.Queue<ObjectRef<int>[]>(), ray.Queue<int>());
        var first = ray.Circles.Await.Remote(queue, how);
        var second = ray.Circles.Await.Remote(other, "one");
        var third = ray.Circles.Later.Remote(until);
        await queue.Put([second, third, ray.Put(1)]);
        await other.Put([first]);
        await LookedAsync(ray, isolation, first, second);

        Assert.False(first.IsReady);
        if (how is "for a moment" or "until cancelled")
            return;
        await until.Put(7);

        Assert.Equal(how == "two of three" ? 2 : 7, await first.AsTask().SoonAsync());
        await second.AsTask().SoonAsync();
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Block_OfATaskThatWaitsForIt_IsTold(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var queue = ray.Queue<ObjectRef<int>[]>();
        var first = ray.Circles.Block.Remote(queue);
        await queue.Put([first]);

        await Assert.ThrowsAsync<DeadlockException>(async () => await first.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Rings))]
    public async Task Call_ThatWaitsForOneBehindIt_IsTold(string how, Isolation isolation)
    {
        await using var ray = Make(isolation);
        var (a, b) = (ray.Ring.Options(new() { MaxConcurrency = 1 }).Remote(), ray.Ring.Options(new() { MaxConcurrency = 1 }).Remote());

        foreach (var path in new ActorHandle<Ring>[][] { [a], [b, a] })
        {
            var told = await Assert.ThrowsAsync<DeadlockException>(async () => await Start(a, path, how).AsTask().SoonAsync());
            Assert.Matches(@"call Ring\.\w+ of actor Ring \(\w+\) \(\w+\) waits for call Ring", told.Message);
        }

        Assert.Equal(2, await Start(a, [b], how).AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Call_ThatWaitsForOneThatHasRoom_IsNotTold(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var b = ray.Ring.Options(new() { MaxConcurrency = 1 }).Remote();
        var two = ray.Ring.Options(new() { MaxConcurrency = 2 }).Remote();
        var threads = ray.Ring.Options(new() { MaxConcurrency = 2, Concurrency = ConcurrencyMode.Parallel }).Remote();
        var groups = ray.Ring.Options(new() { MaxConcurrency = 1, ConcurrencyGroups = new Dictionary<string, int> { ["other"] = 1 }.ToImmutableDictionary() }).Remote();

        Assert.Equal(3, await two.Await.Remote([b, two]).AsTask().SoonAsync());
        Assert.Equal(3, await threads.Block.Remote([b, threads]).AsTask().SoonAsync());
        Assert.Equal(1, await groups.BlockForOther.Remote(groups).AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Call_BehindOthersOneOfWhichEnds_IsNotTold(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var actor = ray.Ring.Options(new() { MaxConcurrency = 2 }).Remote();
        var queue = ray.Queue<int>();
        var other = actor.AwaitFor.Remote([], queue);
        var waits = actor.AwaitFor.Remote([actor], queue);
        await LookedAsync(ray, isolation, other, waits);

        Assert.False(waits.IsReady);
        await queue.Put(5);

        Assert.Equal(5, await other.AsTask().SoonAsync());
        Assert.Equal(1, await waits.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Task_ThatDemandsWhatOneHoldsThatWaitsForIt_IsTold(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var holder = ray.Circles.Hold.Options(new() { Name = "the holder", Resources = new Dictionary<string, double> { ["slot"] = 1 }.ToImmutableDictionary() }).Remote("slot");

        var told = await Assert.ThrowsAsync<DeadlockException>(async () => await holder.AsTask().SoonAsync());

        Assert.Matches(@"task the one inside \(\w+\) waits for slot 1, of which slot is held by task the holder \(\w+\)", told.Message);
        Assert.Equal(1, await ray.Circles.One.Options(new() { Resources = new Dictionary<string, double> { ["slot"] = 1 }.ToImmutableDictionary() }).Remote().AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Task_ThatDemandsWhatAnActorHoldsThatWaitsForIt_IsTold(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var actor = ray.Ring.Options(new() { Resources = new Dictionary<string, double> { ["slot"] = 1 }.ToImmutableDictionary() }).Remote();

        var told = await Assert.ThrowsAsync<DeadlockException>(async () => await actor.Hold.Remote("slot").AsTask().SoonAsync());

        Assert.Contains("is held by actor Ring", told.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Task_ThatDemandsWhatAnotherHolds_IsNotTold(Isolation isolation)
    {
        await using var ray = Make(isolation, slots: 2);
        var queue = ray.Queue<int>();
        var slot = new Dictionary<string, double> { ["slot"] = 1 }.ToImmutableDictionary();
        var other = ray.Circles.Later.Options(new() { Resources = slot }).Remote(queue);
        var holder = ray.Circles.Hold.Options(new() { Resources = slot }).Remote("slot");
        await LookedAsync(ray, isolation, other, holder);

        Assert.False(holder.IsReady);
        await queue.Put(5);

        Assert.Equal(1, await holder.AsTask().SoonAsync());
        Assert.Equal(5, await other.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task GetMany_OneOfThemFails_IsNotToldBefore(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var (queue, other, until) = (ray.Queue<ObjectRef<int>[]>(), ray.Queue<ObjectRef<int>[]>(), ray.Queue<int>());
        var first = ray.Circles.Await.Remote(queue, "many");
        var second = ray.Circles.Await.Remote(other, "one");
        await queue.Put([second, ray.Circles.Fail.Remote(until)]);
        await other.Put([first]);
        await LookedAsync(ray, isolation, first, second);

        Assert.False(first.IsReady || second.IsReady);
        await until.Put(7);

        await Assert.ThrowsAsync<UserCodeException>(async () => await first.AsTask().SoonAsync());
        await Assert.ThrowsAsync<UserCodeException>(async () => await second.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Arguments_OneOfThemFails_IsNotToldBefore(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var (queue, until) = (ray.Queue<ObjectRef<int>[]>(), ray.Queue<int>());
        var waits = ray.Circles.Await.Remote(queue, "one");
        var sum = ray.Circles.Sum.Remote(waits, ray.Circles.Fail.Remote(until));
        await queue.Put([sum]);
        await LookedAsync(ray, isolation, waits);

        Assert.False(waits.IsReady);
        await until.Put(7);

        await Assert.ThrowsAsync<UserCodeException>(async () => await waits.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Arguments_OneOfWhichWaitsForTheTask_IsTold(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var queue = ray.Queue<ObjectRef<int>[]>();
        var waits = ray.Circles.Await.Remote(queue, "one");
        await queue.Put([ray.Circles.Sum.Remote(waits, ray.Put(1))]);

        await Assert.ThrowsAsync<DeadlockException>(async () => await waits.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Call_BegunBeforeTheOneThatBlocks_NeedsNoTurn(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var actor = ray.Ring.Remote();
        var until = ray.Queue<int>();
        var begun = actor.Leave.Remote(until);
        await actor.One.Remote().AsTask().SoonAsync();
        var blocks = actor.BlockOn.Remote([begun]);
        await LookedAsync(ray, isolation, blocks);

        Assert.False(begun.IsReady);
        await until.Put(5);

        Assert.Equal(5, await blocks.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Call_QueuedWhereABlockedThreadIsNoTurnOfIts_IsNotTold(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var until = ray.Queue<int>();
        var groups = ray.Ring.Options(new() { ConcurrencyGroups = new Dictionary<string, int> { ["other"] = 1 }.ToImmutableDictionary() }).Remote();
        var threads = ray.Ring.Options(new() { MaxConcurrency = 2, Concurrency = ConcurrencyMode.Parallel }).Remote();
        ObjectRef<int>[] begun = [groups.LeaveOther.Remote(until), threads.Leave.Remote(until)];
        ObjectRef<int>[] blocks = [groups.BlockOn.Remote([groups.Other.Remote()]), threads.BlockOnOne.Remote(threads)];
        await LookedAsync(ray, isolation, blocks);

        Assert.All(blocks, one => Assert.False(one.IsReady));
        await until.Put(1);
        await until.Put(2);

        Assert.All(await Task.WhenAll(blocks.Select(one => one.AsTask())).SoonAsync(), one => Assert.Equal(1, one));
        GC.KeepAlive(begun);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Call_AsManyAsMayGoOnAndItWaitsForWhatComes_IsNotTold(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var actor = ray.Ring.Options(new() { MaxConcurrency = 1 }).Remote();
        var queue = ray.Queue<int>();
        var waits = actor.AwaitFor.Remote([], queue);
        await LookedAsync(ray, isolation, waits);

        Assert.False(waits.IsReady);
        await queue.Put(5);

        Assert.Equal(5, await waits.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Call_ThatWaitsForOneBehindItInItsGroup_IsTold(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var actor = ray.Ring.Options(new() { ConcurrencyGroups = new Dictionary<string, int> { ["other"] = 1 }.ToImmutableDictionary() }).Remote();

        await Assert.ThrowsAsync<DeadlockException>(async () => await actor.AwaitOther.Remote(actor).AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Call_WhoseArgumentOrActorWaitsForIt_IsTold(Isolation isolation)
    {
        await using var ray = Make(isolation);
        foreach (var isActor in new[] { false, true })
        {
            var queue = ray.Queue<ObjectRef<int>[]>();
            var waits = ray.Circles.Await.Remote(queue, "one");
            var call = isActor ? ray.Made.Remote(waits).From.Remote() : ray.Ring.Remote().Same.Remote(waits);
            await queue.Put([call]);

            await Assert.ThrowsAsync<DeadlockException>(async () => await waits.AsTask().SoonAsync());
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Actor_ThatDemandsWhatOneHoldsThatWaitsForIt_IsTold(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var holder = ray.Circles.HoldForActor.Options(new() { Resources = new Dictionary<string, double> { ["slot"] = 1 }.ToImmutableDictionary() }).Remote("slot");

        await Assert.ThrowsAsync<DeadlockException>(async () => await holder.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(GroupWays))]
    public async Task Group_OfWhatOneHoldsThatWaitsForIt_IsTold(string how, Isolation isolation)
    {
        await using var ray = Make(isolation);
        var holder = ray.Circles.HoldForGroup.Options(new() { Name = "the holder", Resources = Slots(1) }).Remote(how, new() { Resources = Slots(1) });

        var told = await Assert.ThrowsAsync<DeadlockException>(async () => await holder.AsTask().SoonAsync());

        if (how is "ready" or "all")
            Assert.Matches(@"task the holder \(\w+\) waits for placement group 'the group'", told.Message);
        else
            Assert.Matches(@"(task the one inside|call Ring.One).* waits for placement group 'the group'", told.Message);
        Assert.Matches(@"placement group 'the group' waits for slot 1, of which slot is held by task the holder \(\w+\)", told.Message);
        await using var after = ray.CreatePlacementGroup([new() { Resources = Slots(1) }]);
        await after.Ready.SoonAsync();
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Group_OfWhatAnActorHoldsThatWaitsForIt_IsTold(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var actor = ray.Ring.Options(new() { NumCpus = 4 }).Remote();

        var told = await Assert.ThrowsAsync<DeadlockException>(async () => await actor.HoldForGroup.Remote(new() { Cpus = 1 }).AsTask().SoonAsync());

        Assert.Contains("waits for CPU 1, of which CPU is held by actor Ring", told.Message, StringComparison.Ordinal);
        Assert.Equal(1, await actor.One.Remote().AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Group_BehindOneOfWhatItsWaiterHolds_IsTold(Isolation isolation)
    {
        await using var ray = Make(isolation, slots: 2);
        var queue = ray.Queue<int>();
        var other = ray.Circles.Later.Options(new() { Resources = Slots(1) }).Remote(queue);
        await HoldsAsync(ray, "slot", 1);
        await using var large = ray.CreatePlacementGroup([new() { Resources = Slots(2) }], name: "large");
        await using var small = ray.CreatePlacementGroup([new() { Cpus = 1 }], name: "small");
        var holder = ray.Circles.AwaitGroup.Options(new() { Name = "the holder", Resources = Slots(1) }).Remote(small);
        await LookedAsync(ray, isolation, holder);
        Assert.False(other.IsReady);

        // Another one holds a part of it, but would never be enough.
        var told = await Assert.ThrowsAsync<DeadlockException>(async () => await holder.AsTask().SoonAsync());

        Assert.Contains("placement group 'small' waits for placement group 'large'", told.Message, StringComparison.Ordinal);
        await queue.Put(5);
        Assert.Equal(5, await other.AsTask().SoonAsync());
        await large.Ready.SoonAsync();
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Group_OfWhatAnotherHolds_IsNotTold(Isolation isolation)
    {
        await using var ray = Make(isolation, slots: 2);
        var queue = ray.Queue<int>();
        var other = ray.Circles.Later.Options(new() { Resources = Slots(1) }).Remote(queue);
        await HoldsAsync(ray, "slot", 1);
        var holder = ray.Circles.HoldForGroup.Options(new() { Resources = Slots(1) }).Remote("ready", new() { Resources = Slots(1) });
        await LookedAsync(ray, isolation, other, holder);

        Assert.False(holder.IsReady);
        await queue.Put(5);

        Assert.Equal(7, await holder.AsTask().SoonAsync());
        Assert.Equal(5, await other.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(GroupWaysOut))]
    public async Task Group_ThatIsNotAllThatItsHolderWaitsFor_IsNotTold(string how, Isolation isolation)
    {
        await using var ray = Make(isolation);
        var queue = ray.Queue<int>();
        var holder = ray.Circles.HoldForGroup.Options(new() { Resources = Slots(1) }).Remote(how, new() { Resources = Slots(1) }, queue);
        await LookedAsync(ray, isolation, holder);

        Assert.False(holder.IsReady);
        await queue.Put(5);

        Assert.Equal(7, await holder.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Group_OfTheCpuOfATaskThatWaitsForIt_IsReserved(Isolation isolation)
    {
        await using var ray = Make(isolation);

        Assert.Equal(7, await ray.Circles.HoldForGroup.Remote("ready", new() { Cpus = 4 }).AsTask().SoonAsync());
        Assert.Equal(7, await ray.Circles.HoldForGroup.Remote("task inside", new() { Cpus = 4 }).AsTask().SoonAsync());
        await HoldsAsync(ray, "CPU", 4);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Actor_OfTheCpuOfATaskThatWaitsForIt_TheTaskGoesOnWithoutOne(Isolation isolation)
    {
        await using var ray = Make(isolation);

        Assert.Equal(3, await ray.Circles.LendToActor.Remote(3.5).AsTask().SoonAsync());
        await HoldsAsync(ray, "CPU", 4);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Block_ForAMoment_IsNotTold(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var queue = ray.Queue<ObjectRef<int>[]>();
        var first = ray.Circles.BlockForAMoment.Remote(queue);
        await queue.Put([first]);

        Assert.Equal(7, await first.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Call_WhoseCodeLeavesABlockedTurnBehind_MayEndAllTheSame(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var actor = ray.Ring.Remote();
        var (until, others, queue) = (ray.Queue<int>(), ray.Queue<ObjectRef<int>[]>(), ray.Queue<ObjectRef<int>[]>());
        var leaves = actor.LeaveBlocked.Remote(until, others);
        var waits = ray.Circles.Await.Remote(queue, "one");
        await queue.Put([leaves]);
        await others.Put([waits]);
        await LookedAsync(ray, isolation, waits, leaves);

        Assert.False(leaves.IsReady || waits.IsReady);
        await until.Put(5);

        Assert.Equal(5, await waits.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Call_ThatBlocksALaterTurnForOneBehindIt_IsTold(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var actor = ray.Ring.Remote();
        var queue = ray.Queue<int>();
        var blocks = actor.BlockLaterForOne.Remote(queue, actor);
        await queue.Put(1);

        var told = await Assert.ThrowsAsync<DeadlockException>(async () => await blocks.AsTask().SoonAsync());

        Assert.Contains("blocks its actor until", told.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Task_WithATimeoutOfItsOwn_IsNotTold(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var (queue, other) = (ray.Queue<ObjectRef<int>[]>(), ray.Queue<ObjectRef<int>[]>());
        var first = ray.Circles.Await.Options(new() { Timeout = TimeSpan.FromMinutes(5) }).Remote(queue, "one");
        var second = ray.Circles.Await.Remote(other, "one");
        await queue.Put([second]);
        await other.Put([first]);
        await LookedAsync(ray, isolation, first, second);

        Assert.False(first.IsReady || second.IsReady);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Call_WithATimeoutOfItsOwn_IsNotTold(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var actor = ray.Ring.Options(new() { MaxConcurrency = 1 }).Remote();
        var call = actor.Await.Options(new() { Timeout = TimeSpan.FromMinutes(5) }).Remote([actor]);
        await LookedAsync(ray, isolation, call);

        Assert.False(call.IsReady);
    }

    [Theory]
    [InlineData(true, Isolation.None)]
    [InlineData(true, Isolation.Process)]
    [InlineData(false, Isolation.None)]
    [InlineData(false, Isolation.Process)]
    public async Task Stream_WhoseReaderOrCodeWaitsForWhatComes_IsNotTold(bool readerWaits, Isolation isolation)
    {
        await using var ray = Make(isolation);
        var queue = ray.Queue<int>();
        var reader = ray.Circles.Read.Remote(readerWaits, queue);
        await LookedAsync(ray, isolation, reader);

        Assert.False(reader.IsReady);
        await queue.Put(5);

        Assert.Equal(45, await reader.AsTask().SoonAsync());
    }

    [Fact]
    public async Task Await_OfAnotherClustersTaskThatWaitsForThisOnes_IsNotTold()
    {
        await using var here = Make(Isolation.None);
        await using var there = Make(Isolation.None);
        var queue = here.Queue<int>();
        var last = here.Circles.Later.Remote(queue);
        var middle = there.Run(async () => await last);

        await LookedAsync(here, Isolation.None, last);

        // The two that wait for each other's cluster have one number.
        var number = here.Put(0).Id.Number;
        while (middle.Id.Number <= number + 1)
            middle = there.Run(async () => await last);
        for (; number < middle.Id.Number - 1; number++)
            _ = here.Put(0);
        var first = here.Run(async () => await middle);
        Assert.Equal(middle.Id, first.Id);
        await LookedAsync(here, Isolation.None, first);
        await LookedAsync(there, Isolation.None, middle);

        Assert.False(first.IsReady || middle.IsReady);
        await queue.Put(5);

        Assert.Equal(5, await first.AsTask().SoonAsync());
    }

    private static ObjectRef<int> Start(ActorHandle<Ring> actor, ActorHandle<Ring>[] path, string how) => how switch
    {
        "block" => actor.Block.Remote(path),
        "await" => actor.Await.Remote(path),
        _ => actor.AwaitAll.Remote(path),
    };

    /// <summary>Completes when it has been looked at these since they wait: a circle that begins after them has been told.</summary>
    private static async Task LookedAsync(DriverCluster ray, Isolation isolation, params ObjectRef[] waiting)
    {
        await Eventually.TrueAsync(() =>
        {
            var seen = new WaitingTaskSnapshot();
            ray.Tasks.Observe(seen);
            return waiting.All(seen.Waiting.Contains);
        });
        foreach (var where in new[] { isolation, Isolation.None })
        {
            var queue = ray.Queue<ObjectRef<int>[]>();
            var circle = ray.Circles.Await.Options(new() { NumCpus = 0, Isolation = where }).Remote(queue, "helper");
            await queue.Put([circle]);
            await Assert.ThrowsAsync<DeadlockException>(async () => await circle.AsTask().SoonAsync());
        }
    }

    private static ImmutableDictionary<string, double> Slots(double count) => new Dictionary<string, double> { ["slot"] = count }.ToImmutableDictionary();

    private static Task HoldsAsync(DriverCluster ray, string resource, double free) => Eventually.TrueAsync(() => ray.AvailableResources[resource] == free);

    private static DriverCluster Make(Isolation isolation, double slots = 1) => new(new()
    {
        NumCpus = 4,
        Isolation = isolation,
        WorkerCommand = [LocalAgentFixture.Executable, "worker"],
        Observable = false,
        Resources = new Dictionary<string, double> { ["slot"] = slots }.ToImmutableDictionary(),
    }, ProgramWorkerLauncher.StartWorkers);

    private static TheoryData<string, Isolation> Combine(params string[] ways)
    {
        var all = new TheoryData<string, Isolation>();
        foreach (var way in ways)
        {
            all.Add(way, Isolation.None);
            all.Add(way, Isolation.Process);
        }

        return all;
    }
}
