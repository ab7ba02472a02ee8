using System.Collections.Immutable;
using Serve.Runtime.Clusters;
using Serve.Runtime.Tasks;
using Serve.Runtime.TestWorker;
using Serve.Runtime.Testing;
using Serve.Runtime.Workers.Processes;

namespace Serve.Runtime.Tests.Tasks;

/// <summary>Deadlocks of tasks, actors and placement groups, and waits that are none, in this process and in workers.</summary>
public sealed class DeadlockScenarioTests
{
    public static TheoryData<string, Isolation> Ways { get; } = Combine("helper", "many", "all of them", "two of them", "as a task", "all tasks");

    public static TheoryData<string, Isolation> WaysOut { get; } = Combine("one of them", "two of three", "any task", "for a moment", "until cancelled");

    public static TheoryData<string, Isolation> GroupWays { get; } = Combine("task inside", "actor inside");

    public static TheoryData<string, Isolation> GroupTasks { get; } = Combine("ready", "all");

    public static TheoryData<string, Isolation> GroupWaysOut { get; } = Combine("any", "ask");

    public static TheoryData<Isolation> Both { get; } = new(Isolation.None, Isolation.Process);

    public static TheoryData<string, Isolation> Rings { get; } = Combine("block", "await");

    /// <summary>Deadlocks all the same, but which code the awaited tasks hold up is not known.</summary>
    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Await_ThroughHelperOrTasks_IsNotReported(string how, Isolation isolation)
    {
        await using var ray = Make(isolation);
        var (queue, other) = (ray.Queue<ObjectRef<int>[]>(), ray.Queue<ObjectRef<int>[]>());
        var first = ray.DeadlockScenarios.Await.Remote(queue, how);
        var second = ray.DeadlockScenarios.Await.Remote(other, "one");
        ObjectRef<int>[] others = [ray.Put(1), ray.DeadlockScenarios.One.Remote()];
        await queue.Put(how is "helper" or "as a task" ? [second] : [others[0], second]);
        await other.Put([first]);
        await PolledAsync(ray, isolation, first, second);

        Assert.False(first.IsReady || second.IsReady);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Await_DetectionDisabled_IsNotReported(Isolation isolation)
    {
        await using var ray = Make(isolation, detects: false);
        var queue = ray.Queue<ObjectRef<int>[]>();
        var own = ray.DeadlockScenarios.Await.Remote(queue, "one");
        await queue.Put([own]);
        await Eventually.TrueAsync(() => ray.ListTasks().Any(task => task.State == TaskPhase.Waiting));
        await Task.Delay(TimeSpan.FromMilliseconds(300));

        Assert.False(own.IsReady);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Await_TaskThatWaitsForIt_IsReported(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var (queue, other) = (ray.Queue<ObjectRef<int>[]>(), ray.Queue<ObjectRef<int>[]>());
        var first = ray.DeadlockScenarios.Await.Options(new() { Name = "first" }).Remote(queue, "one");
        var second = ray.DeadlockScenarios.Await.Options(new() { Name = "second" }).Remote(other, "one");
        await queue.Put([second]);
        await other.Put([first]);

        var failure = await Assert.ThrowsAsync<DeadlockException>(async () => await first.AsTask().SoonAsync());

        Assert.Matches(@"task (first|second) \(\w+\) waits for task (first|second) \(\w+\)", failure.Message);
        await Assert.ThrowsAsync<DeadlockException>(async () => await second.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(WaysOut))]
    public async Task Await_OtherwiseEndingWait_IsNotReported(string how, Isolation isolation)
    {
        await using var ray = Make(isolation);
        var (queue, other, until) = (ray.Queue<ObjectRef<int>[]>(), ray.Queue<ObjectRef<int>[]>(), ray.Queue<int>());
        var first = ray.DeadlockScenarios.Await.Remote(queue, how);
        var second = ray.DeadlockScenarios.Await.Remote(other, "one");
        var third = ray.DeadlockScenarios.Later.Remote(until);
        await queue.Put([second, third, ray.Put(1)]);
        await other.Put([first]);
        await PolledAsync(ray, isolation, first, second);

        Assert.False(first.IsReady);
        if (how is "for a moment" or "until cancelled")
            return;
        await until.Put(7);

        Assert.Equal(how == "two of three" ? 2 : 7, await first.AsTask().SoonAsync());
        await second.AsTask().SoonAsync();
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Block_OnItself_IsReported(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var queue = ray.Queue<ObjectRef<int>[]>();
        var first = ray.DeadlockScenarios.Block.Remote(queue);
        await queue.Put([first]);

        await Assert.ThrowsAsync<DeadlockException>(async () => await first.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Rings))]
    public async Task Call_WaitsForQueuedCallOfSameActor_IsReported(string how, Isolation isolation)
    {
        await using var ray = Make(isolation);
        var (a, b) = (ray.Ring.Options(new() { MaxConcurrency = 1 }).Remote(), ray.Ring.Options(new() { MaxConcurrency = 1 }).Remote());

        foreach (var path in new ActorHandle<Ring>[][] { [a], [b, a] })
        {
            var failure = await Assert.ThrowsAsync<DeadlockException>(async () => await Start(a, path, how).AsTask().SoonAsync());
            Assert.Matches(@"call Ring\.\w+ of actor Ring \(\w+\) \(\w+\) waits for call Ring", failure.Message);
        }

        Assert.Equal(2, await Start(a, [b], how).AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Call_WaitsForAdmittedCall_IsNotReported(Isolation isolation)
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
    public async Task Call_QueuedBehindCallThatEnds_IsNotReported(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var actor = ray.Ring.Options(new() { MaxConcurrency = 2 }).Remote();
        var queue = ray.Queue<int>();
        var other = actor.AwaitFor.Remote([], queue);
        var waits = actor.AwaitFor.Remote([actor], queue);
        await PolledAsync(ray, isolation, other, waits);

        Assert.False(waits.IsReady);
        await queue.Put(5);

        Assert.Equal(5, await other.AsTask().SoonAsync());
        Assert.Equal(1, await waits.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Task_DemandsResourcesOfWaitingTask_IsReported(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var holder = ray.DeadlockScenarios.Hold.Options(new() { Name = "the holder", Resources = new Dictionary<string, double> { ["slot"] = 1 }.ToImmutableDictionary() }).Remote("slot");

        var failure = await Assert.ThrowsAsync<DeadlockException>(async () => await holder.AsTask().SoonAsync());

        Assert.Matches(@"task the one inside \(\w+\) waits for slot 1, of which slot is held by task the holder \(\w+\)", failure.Message);
        Assert.Equal(1, await ray.DeadlockScenarios.One.Options(new() { Resources = new Dictionary<string, double> { ["slot"] = 1 }.ToImmutableDictionary() }).Remote().AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Task_DemandsResourcesOfWaitingActor_IsReported(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var actor = ray.Ring.Options(new() { Resources = new Dictionary<string, double> { ["slot"] = 1 }.ToImmutableDictionary() }).Remote();

        var failure = await Assert.ThrowsAsync<DeadlockException>(async () => await actor.Hold.Remote("slot").AsTask().SoonAsync());

        Assert.Contains("is held by actor Ring", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Task_DemandsResourcesOfOtherTask_IsNotReported(Isolation isolation)
    {
        await using var ray = Make(isolation, slots: 2);
        var queue = ray.Queue<int>();
        var slot = new Dictionary<string, double> { ["slot"] = 1 }.ToImmutableDictionary();
        var other = ray.DeadlockScenarios.Later.Options(new() { Resources = slot }).Remote(queue);
        var holder = ray.DeadlockScenarios.Hold.Options(new() { Resources = slot }).Remote("slot");
        await PolledAsync(ray, isolation, other, holder);

        Assert.False(holder.IsReady);
        await queue.Put(5);

        Assert.Equal(1, await holder.AsTask().SoonAsync());
        Assert.Equal(5, await other.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task GetMany_OneMayFail_IsNotReported(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var (queue, other, until) = (ray.Queue<ObjectRef<int>[]>(), ray.Queue<ObjectRef<int>[]>(), ray.Queue<int>());
        var first = ray.DeadlockScenarios.Await.Remote(queue, "many");
        var second = ray.DeadlockScenarios.Await.Remote(other, "one");
        await queue.Put([second, ray.DeadlockScenarios.Fail.Remote(until)]);
        await other.Put([first]);
        await PolledAsync(ray, isolation, first, second);

        Assert.False(first.IsReady || second.IsReady);
        await until.Put(7);

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await first.AsTask().SoonAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await second.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Arguments_OneMayFail_IsNotReported(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var (queue, until) = (ray.Queue<ObjectRef<int>[]>(), ray.Queue<int>());
        var waits = ray.DeadlockScenarios.Await.Remote(queue, "one");
        var sum = ray.DeadlockScenarios.Sum.Remote(waits, ray.DeadlockScenarios.Fail.Remote(until));
        await queue.Put([sum]);
        await PolledAsync(ray, isolation, waits);

        Assert.False(waits.IsReady);
        await until.Put(7);

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await waits.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Arguments_OneWaitsForTheTask_IsReported(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var queue = ray.Queue<ObjectRef<int>[]>();
        var waits = ray.DeadlockScenarios.Await.Remote(queue, "one");
        await queue.Put([ray.DeadlockScenarios.Sum.Remote(waits, ray.Put(1))]);

        await Assert.ThrowsAsync<DeadlockException>(async () => await waits.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Call_BegunBeforeBlockedTurn_NeedsNoTurn(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var actor = ray.Ring.Remote();
        var until = ray.Queue<int>();
        var begun = actor.Leave.Remote(until);
        await actor.One.Remote().AsTask().SoonAsync();
        var blocks = actor.BlockOn.Remote([begun]);
        await PolledAsync(ray, isolation, blocks);

        Assert.False(begun.IsReady);
        await until.Put(5);

        Assert.Equal(5, await blocks.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Call_BlockedThreadOfOtherGroup_IsNotReported(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var until = ray.Queue<int>();
        var groups = ray.Ring.Options(new() { ConcurrencyGroups = new Dictionary<string, int> { ["other"] = 1 }.ToImmutableDictionary() }).Remote();
        var threads = ray.Ring.Options(new() { MaxConcurrency = 2, Concurrency = ConcurrencyMode.Parallel }).Remote();
        ObjectRef<int>[] begun = [groups.LeaveOther.Remote(until), threads.Leave.Remote(until)];
        ObjectRef<int>[] blocks = [groups.BlockOn.Remote([groups.Other.Remote()]), threads.BlockOnOne.Remote(threads)];
        await PolledAsync(ray, isolation, blocks);

        Assert.All(blocks, one => Assert.False(one.IsReady));
        await until.Put(1);
        await until.Put(2);

        Assert.All(await Task.WhenAll(blocks.Select(one => one.AsTask())).SoonAsync(), one => Assert.Equal(1, one));
        GC.KeepAlive(begun);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Call_AtConcurrencyLimitWaitsForOutside_IsNotReported(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var actor = ray.Ring.Options(new() { MaxConcurrency = 1 }).Remote();
        var queue = ray.Queue<int>();
        var waits = actor.AwaitFor.Remote([], queue);
        await PolledAsync(ray, isolation, waits);

        Assert.False(waits.IsReady);
        await queue.Put(5);

        Assert.Equal(5, await waits.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Call_WaitsForQueuedCallOfSameGroup_IsReported(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var actor = ray.Ring.Options(new() { ConcurrencyGroups = new Dictionary<string, int> { ["other"] = 1 }.ToImmutableDictionary() }).Remote();

        await Assert.ThrowsAsync<DeadlockException>(async () => await actor.AwaitOther.Remote(actor).AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Call_ArgumentOrActorWaitsForIt_IsReported(Isolation isolation)
    {
        await using var ray = Make(isolation);
        foreach (var isActor in new[] { false, true })
        {
            var queue = ray.Queue<ObjectRef<int>[]>();
            var waits = ray.DeadlockScenarios.Await.Remote(queue, "one");
            var call = isActor ? ray.Made.Remote(waits).From.Remote() : ray.Ring.Remote().Same.Remote(waits);
            await queue.Put([call]);

            await Assert.ThrowsAsync<DeadlockException>(async () => await waits.AsTask().SoonAsync());
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Actor_DemandsResourcesOfWaitingTask_IsReported(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var holder = ray.DeadlockScenarios.HoldForActor.Options(new() { Resources = new Dictionary<string, double> { ["slot"] = 1 }.ToImmutableDictionary() }).Remote("slot");

        await Assert.ThrowsAsync<DeadlockException>(async () => await holder.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(GroupWays))]
    public async Task Group_DemandsResourcesOfWaitingTask_IsReported(string how, Isolation isolation)
    {
        await using var ray = Make(isolation);
        var holder = ray.DeadlockScenarios.HoldForGroup.Options(new() { Name = "the holder", Resources = Slots(1) }).Remote(how, new() { Resources = Slots(1) });

        var failure = await Assert.ThrowsAsync<DeadlockException>(async () => await holder.AsTask().SoonAsync());

        Assert.Matches(@"(task the one inside|call Ring.One).* waits for placement group 'the group'", failure.Message);
        Assert.Matches(@"placement group 'the group' waits for slot 1, of which slot is held by task the holder \(\w+\)", failure.Message);
        await using var after = ray.CreatePlacementGroup([new() { Resources = Slots(1) }]);
        await after.Ready.SoonAsync();
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Group_DemandsResourcesOfWaitingActor_IsReported(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var actor = ray.Ring.Options(new() { NumCpus = 4 }).Remote();

        var failure = await Assert.ThrowsAsync<DeadlockException>(async () => await actor.HoldForGroup.Remote(new() { Cpus = 1 }).AsTask().SoonAsync());

        Assert.Contains("waits for CPU 1, of which CPU is held by actor Ring", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, await actor.One.Remote().AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Group_BehindGroupOfWaitersResources_IsReported(Isolation isolation)
    {
        await using var ray = Make(isolation, slots: 2);
        var queue = ray.Queue<int>();
        var other = ray.DeadlockScenarios.Later.Options(new() { Resources = Slots(1) }).Remote(queue);
        await HoldsAsync(ray, "slot", 1);
        await using var large = ray.CreatePlacementGroup([new() { Resources = Slots(2) }], name: "large");
        await using var small = ray.CreatePlacementGroup([new() { Cpus = 1 }], name: "small");
        var holder = ray.DeadlockScenarios.AwaitGroup.Options(new() { Name = "the holder", Resources = Slots(1) }).Remote(small);
        await PolledAsync(ray, isolation, holder);
        Assert.False(other.IsReady);

        // Another task holds a part, but its part alone would not be enough.
        var failure = await Assert.ThrowsAsync<DeadlockException>(async () => await holder.AsTask().SoonAsync());

        Assert.Contains("placement group 'small' waits for placement group 'large'", failure.Message, StringComparison.Ordinal);
        await queue.Put(5);
        Assert.Equal(5, await other.AsTask().SoonAsync());
        await large.Ready.SoonAsync();
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Group_DemandsResourcesOfOtherTask_IsNotReported(Isolation isolation)
    {
        await using var ray = Make(isolation, slots: 2);
        var queue = ray.Queue<int>();
        var other = ray.DeadlockScenarios.Later.Options(new() { Resources = Slots(1) }).Remote(queue);
        await HoldsAsync(ray, "slot", 1);
        var holder = ray.DeadlockScenarios.HoldForGroup.Options(new() { Resources = Slots(1) }).Remote("ready", new() { Resources = Slots(1) });
        await PolledAsync(ray, isolation, other, holder);

        Assert.False(holder.IsReady);
        await queue.Put(5);

        Assert.Equal(7, await holder.AsTask().SoonAsync());
        Assert.Equal(5, await other.AsTask().SoonAsync());
    }

    /// <summary>Deadlocks all the same, but which code the group's task holds up is not known.</summary>
    [Theory]
    [MemberData(nameof(GroupTasks))]
    public async Task Group_AwaitedByTask_IsNotReported(string how, Isolation isolation)
    {
        await using var ray = Make(isolation);
        var holder = ray.DeadlockScenarios.HoldForGroup.Options(new() { Resources = Slots(1) }).Remote(how, new() { Resources = Slots(1) });
        await PolledAsync(ray, isolation, holder);

        Assert.False(holder.IsReady);
    }

    [Theory]
    [MemberData(nameof(GroupWaysOut))]
    public async Task Group_HolderMayContinueOtherwise_IsNotReported(string how, Isolation isolation)
    {
        await using var ray = Make(isolation);
        var queue = ray.Queue<int>();
        var holder = ray.DeadlockScenarios.HoldForGroup.Options(new() { Resources = Slots(1) }).Remote(how, new() { Resources = Slots(1) }, queue);
        await PolledAsync(ray, isolation, holder);

        Assert.False(holder.IsReady);
        await queue.Put(5);

        Assert.Equal(7, await holder.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Group_DemandsCpuOfWaitingTask_IsReserved(Isolation isolation)
    {
        await using var ray = Make(isolation);

        Assert.Equal(7, await ray.DeadlockScenarios.HoldForGroup.Remote("ready", new() { Cpus = 4 }).AsTask().SoonAsync());
        Assert.Equal(7, await ray.DeadlockScenarios.HoldForGroup.Remote("task inside", new() { Cpus = 4 }).AsTask().SoonAsync());
        await HoldsAsync(ray, "CPU", 4);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Actor_TakesCpuOfWaitingTask_TaskResumesWithoutCpu(Isolation isolation)
    {
        await using var ray = Make(isolation);

        Assert.Equal(3, await ray.DeadlockScenarios.LendToActor.Remote(3.5).AsTask().SoonAsync());
        await HoldsAsync(ray, "CPU", 4);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Block_WithTimeout_IsNotReported(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var queue = ray.Queue<ObjectRef<int>[]>();
        var first = ray.DeadlockScenarios.BlockForAMoment.Remote(queue);
        await queue.Put([first]);

        Assert.Equal(7, await first.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Call_LeavesBlockedTurnBehind_IsNotReported(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var actor = ray.Ring.Remote();
        var (until, others, queue) = (ray.Queue<int>(), ray.Queue<ObjectRef<int>[]>(), ray.Queue<ObjectRef<int>[]>());
        var leaves = actor.LeaveBlocked.Remote(until, others);
        var waits = ray.DeadlockScenarios.Await.Remote(queue, "one");
        await queue.Put([leaves]);
        await others.Put([waits]);
        await PolledAsync(ray, isolation, waits, leaves);

        Assert.False(leaves.IsReady || waits.IsReady);
        await until.Put(5);

        Assert.Equal(5, await waits.AsTask().SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Call_BlocksLaterTurnForQueuedCall_IsReported(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var actor = ray.Ring.Remote();
        var queue = ray.Queue<int>();
        var blocks = actor.BlockLaterForOne.Remote(queue, actor);
        await queue.Put(1);

        var failure = await Assert.ThrowsAsync<DeadlockException>(async () => await blocks.AsTask().SoonAsync());

        Assert.Contains("blocks its actor until", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Task_WithTimeout_IsNotReported(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var (queue, other) = (ray.Queue<ObjectRef<int>[]>(), ray.Queue<ObjectRef<int>[]>());
        var first = ray.DeadlockScenarios.Await.Options(new() { Timeout = TimeSpan.FromMinutes(5) }).Remote(queue, "one");
        var second = ray.DeadlockScenarios.Await.Remote(other, "one");
        await queue.Put([second]);
        await other.Put([first]);
        await PolledAsync(ray, isolation, first, second);

        Assert.False(first.IsReady || second.IsReady);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task Call_WithTimeout_IsNotReported(Isolation isolation)
    {
        await using var ray = Make(isolation);
        var actor = ray.Ring.Options(new() { MaxConcurrency = 1 }).Remote();
        var call = actor.Await.Options(new() { Timeout = TimeSpan.FromMinutes(5) }).Remote([actor]);
        await PolledAsync(ray, isolation, call);

        Assert.False(call.IsReady);
    }

    [Theory]
    [InlineData(true, Isolation.None)]
    [InlineData(true, Isolation.Process)]
    [InlineData(false, Isolation.None)]
    [InlineData(false, Isolation.Process)]
    public async Task Stream_ReaderOrProducerWaitsForOutside_IsNotReported(bool readerWaits, Isolation isolation)
    {
        await using var ray = Make(isolation);
        var queue = ray.Queue<int>();
        var reader = ray.DeadlockScenarios.Read.Remote(readerWaits, queue);
        await PolledAsync(ray, isolation, reader);

        Assert.False(reader.IsReady);
        await queue.Put(5);

        Assert.Equal(45, await reader.AsTask().SoonAsync());
    }

    [Fact]
    public async Task Await_TaskOfOtherCluster_IsNotReported()
    {
        await using var here = Make(Isolation.None);
        await using var there = Make(Isolation.None);
        var queue = here.Queue<int>();
        var last = here.DeadlockScenarios.Later.Remote(queue);
        var middle = there.Run(async () => await last);

        await PolledAsync(here, Isolation.None, last);

        // The two tasks that wait across clusters have the same id.
        var number = here.Put(0).Id.Number;
        while (middle.Id.Number <= number + 1)
            middle = there.Run(async () => await last);
        for (; number < middle.Id.Number - 1; number++)
            _ = here.Put(0);
        var first = here.Run(async () => await middle);
        Assert.Equal(middle.Id, first.Id);
        await PolledAsync(here, Isolation.None, first);
        await PolledAsync(there, Isolation.None, middle);

        Assert.False(first.IsReady || middle.IsReady);
        await queue.Put(5);

        Assert.Equal(5, await first.AsTask().SoonAsync());
    }

    private static ObjectRef<int> Start(ActorHandle<Ring> actor, ActorHandle<Ring>[] path, string how) => how switch
    {
        "block" => actor.Block.Remote(path),
        _ => actor.Await.Remote(path),
    };

    /// <summary>Completes when the detector has polled twice since these wait: a deadlock that begins after them has been reported.</summary>
    private static async Task PolledAsync(DriverCluster ray, Isolation isolation, params ObjectRef[] waiting)
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
            var cycle = ray.DeadlockScenarios.Await.Options(new() { NumCpus = 0, Isolation = where }).Remote(queue, "one");
            await queue.Put([cycle]);
            await Assert.ThrowsAsync<DeadlockException>(async () => await cycle.AsTask().SoonAsync());
        }
    }

    private static ImmutableDictionary<string, double> Slots(double count) => new Dictionary<string, double> { ["slot"] = count }.ToImmutableDictionary();

    private static Task HoldsAsync(DriverCluster ray, string resource, double free) => Eventually.TrueAsync(() => ray.AvailableResources[resource] == free);

    private static DriverCluster Make(Isolation isolation, double slots = 1, bool detects = true) => new(new()
    {
        NumCpus = 4,
        Isolation = isolation,
        WorkerCommand = [LocalAgentFixture.Executable, "worker"],
        Observable = false,
        DetectDeadlocks = detects,
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
