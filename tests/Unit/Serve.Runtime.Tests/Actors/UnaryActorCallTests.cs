using System.Collections.Concurrent;
using Serve.Runtime.Testing;
using Serve.Runtime.TestWorker;

namespace Serve.Runtime.Tests.Actors;

public sealed class UnaryActorCallTests : IAsyncLifetime
{
    private Cluster _ray = null!;

    public async Task InitializeAsync() => _ray = await Cluster.Init(new() { NumCpus = 2 });

    public async Task DisposeAsync() => await _ray.DisposeAsync();

    [Fact]
    public async Task Remote_ManyCalls_EachSeesTheOnesBefore()
    {
        var actor = _ray.CountActor.Remote(10);
        var calls = Enumerable.Range(0, 10_000).Select(_ => actor.Increment.Remote(1)).ToArray();
        Assert.Equal(Enumerable.Range(11, 10_000), await _ray.Get(calls));
    }

    [Fact]
    public async Task Remote_CalledAndAwaitedManyTimes_RunsQuicklyAndInOrder()
    {
        // Often enough for the caller to run the actor itself.
        var actor = _ray.CountActor.Remote();
        for (var i = 1; i <= 5000; i++)
            Assert.Equal(i, await actor.Increment.Remote(1));
    }

    [Fact]
    public async Task Remote_WithoutAwait_NeverRunsOnTheCallersThread()
    {
        var actor = _ray.CountActor.Remote();
        var calls = new List<ObjectRef<int>>();
        var self = 0;
        var caller = new Thread(() =>
        {
            self = Environment.CurrentManagedThreadId;
            for (var i = 0; i < 2000; i++)
                calls.Add(actor.ThreadId.Remote());
        });
        caller.Start();
        caller.Join();
        Assert.DoesNotContain(self, await _ray.Get(calls));
    }

    [Fact]
    public async Task Remote_CodeThrows_GetThrowsItAsUserCode()
    {
        var actor = _ray.CountActor.Remote();
        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(async () => await actor.Throw.Remote("no"));
        Assert.Equal("no", thrown.Message);
        Assert.Equal(1, await actor.Increment.Remote(1));
    }

    [Fact]
    public async Task Remote_ArgumentIsPending_HoldsBackLaterCallsOfTheSameCaller()
    {
        var other = _ray.CountActor.Remote();
        var gate = new TestCallGate();
        var pending = other.WaitFor.Remote(gate, 5);
        var actor = _ray.CountActor.Remote();
        var first = actor.Increment.Remote(pending);
        var second = actor.Increment.Remote(1);
        await Task.WhenAny(second.AsTask(), Task.Delay(50));
        Assert.False(second.IsReady);
        gate.Open();
        Assert.Equal(5, await first);
        Assert.Equal(6, await second);
    }

    [Fact]
    public async Task Remote_ArgumentIsPending_CallsOfATaskGoOn()
    {
        var other = _ray.CountActor.Remote();
        var gate = new TestCallGate();
        var actor = _ray.CountActor.Remote();
        var held = actor.Increment.Remote(other.WaitFor.Remote(gate, 5));
        Assert.Equal(1, await _ray.ActorUser.Increment.Remote(actor));
        gate.Open();
        Assert.Equal(6, await held);
    }

    [Fact]
    public async Task Remote_ArgumentHasFailed_FailsWithTheSameError()
    {
        var actor = _ray.CountActor.Remote();
        var failed = actor.Throw.Remote("first");
        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(async () => await actor.Increment.Remote(failed));
        Assert.Equal("first", thrown.Message);
        Assert.Equal(0, await actor.Read.Remote());
        var gate = new TestCallGate();
        var blocks = actor.Block.Remote(gate);
        await Assert.ThrowsAsync<InvalidOperationException>(() => actor.Increment.Remote(failed).AsTask().SoonAsync());
        gate.Open();
        Assert.Equal(1, await blocks);
    }

    [Fact]
    public async Task Remote_AsyncMethodsOfATurnBasedActor_InterleaveAtAwaits()
    {
        var actor = _ray.CountActor.Remote();
        var gate = new TestCallGate();
        var waits = actor.WaitFor.Remote(gate, 10);
        Assert.Equal(1, await actor.Increment.Remote(1));
        gate.Open();
        Assert.Equal(11, await waits);
    }

    [Fact]
    public async Task Remote_MaxConcurrencyIsOne_AsyncCallsDoNotInterleave()
    {
        var actor = _ray.CountActor.Options(new() { MaxConcurrency = 1 }).Remote();
        var seen = await _ray.Get(Enumerable.Range(0, 50).Select(_ => actor.Overlap.Remote()));
        Assert.All(seen, inside => Assert.Equal(1, inside));
        var many = _ray.CountActor.Remote();
        Assert.Contains(await _ray.Get(Enumerable.Range(0, 50).Select(_ => many.Overlap.Remote())), inside => inside > 1);
    }

    [Fact]
    public async Task Remote_SynchronousMethodsThatBlock_DoNotStarveOtherActors()
    {
        var gate = new TestCallGate();
        var blocked = Enumerable.Range(0, 8).Select(_ => _ray.CountActor.Remote()).Select(actor => actor.Block.Remote(gate)).ToArray();
        Assert.Equal(1, await _ray.CountActor.Remote().Increment.Remote(1).AsTask().SoonAsync());
        gate.Open();
        Assert.Equal(8, (await _ray.Get(blocked)).Length);
    }

    [Fact]
    public async Task Remote_BlockingMethod_HasADedicatedThread() => Assert.True(await _ray.CountActor.Remote().IsOnBlockingThread.Remote());

    [Fact]
    public async Task Cancel_QueuedCall_NeverRuns()
    {
        var actor = _ray.CountActor.Remote();
        var gate = new TestCallGate();
        var running = actor.Block.Remote(gate);
        var queued = actor.Increment.Remote(100);
        _ray.Cancel(queued);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await queued);
        gate.Open();
        Assert.Equal(1, await running);
        Assert.Equal(1, await actor.Read.Remote());
    }

    [Fact]
    public async Task Cancel_RunningCall_SeesItsToken()
    {
        var actor = _ray.CountActor.Remote();
        var gate = new TestCallGate();
        var running = actor.UntilCancelled.Remote(gate);
        await gate.Entered;
        _ray.Cancel(running);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await running);
        await gate.Left.SoonAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cancel_OfTheTaskThatCalls_RecursiveEndsTheCall(bool recursive)
    {
        var actor = _ray.CountActor.Remote();
        var gate = new TestCallGate();
        ObjectRef? call = null;
        var caller = _ray.Run(async () =>
        {
            var made = actor.UntilCancelled.Remote(gate);
            call = made;
            return await made;
        });
        await gate.Entered;

        _ray.Cancel(caller, recursive: recursive);
        if (recursive)
            await gate.Left.SoonAsync();
        Assert.Equal(recursive, call!.IsFaulted);
    }

    [Theory]
    [InlineData("task", true)]
    [InlineData("task", false)]
    [InlineData("call", true)]
    [InlineData("call", false)]
    [InlineData("stream", true)]
    [InlineData("stream", false)]
    [InlineData("task of a call", true)]
    [InlineData("task of a call", false)]
    public async Task Cancel_OfACall_RecursiveEndsWhatItHasStarted(string kind, bool recursive)
    {
        var actor = _ray.ParentActor.Remote();
        var other = _ray.CountActor.Remote();
        var (gate, started) = (new TestCallGate(), new ConcurrentQueue<ObjectRef>());
        var call = kind switch
        {
            "task" => actor.Start.Remote(started, gate),
            "call" => actor.Call.Remote(started, gate, other),
            "stream" => actor.Stream.Remote(started, gate, other),
            _ => actor.Deep.Remote(started, gate, _ray.ParentActor.Remote()),
        };
        await gate.Entered.SoonAsync();

        _ray.Cancel(call, recursive: recursive);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await call);
        await Eventually.TrueAsync(() => !started.IsEmpty);
        var child = Assert.Single(started);
        Assert.Equal(recursive, child.IsFaulted);
        _ray.Cancel(child);
    }

    [Fact]
    public async Task Options_Timeout_FailsAndCancels()
    {
        var actor = _ray.CountActor.Remote();
        var gate = new TestCallGate();
        var running = actor.UntilCancelled.Options(new() { Timeout = TimeSpan.FromMilliseconds(30) }).Remote(gate);
        var thrown = await Assert.ThrowsAsync<RequestTimeoutException>(async () => await running);
        Assert.Contains("UntilCancelled", thrown.Message, StringComparison.Ordinal);
        await gate.Left.SoonAsync();
    }

    [Fact]
    public async Task Options_RetryOn_SendsItAgainWithinItsRetries()
    {
        var actor = _ray.CountActor.Remote();
        Assert.Equal(3, await actor.Flaky.Options(new() { MaxTaskRetries = 2, RetryOn = thrown => thrown is TimeoutException }).Remote(2));
        await Assert.ThrowsAsync<TimeoutException>(async () =>
            await actor.Flaky.Options(new() { MaxTaskRetries = 1, RetryOn = thrown => thrown is TimeoutException }).Remote(5));
    }

    [Fact]
    public async Task Options_RetryOnThrows_CallFailsWithBoth()
    {
        var actor = _ray.CountActor.Remote();
        Func<Exception, bool> rule = _ => throw new FormatException("the rule");

        var thrown = await Assert.ThrowsAsync<AggregateException>(() => actor.Throw.Options(new() { MaxTaskRetries = 1, RetryOn = rule }).Remote("the call").AsTask().SoonAsync());

        Assert.Contains("the rule", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("the call", thrown.Message, StringComparison.Ordinal);
        Assert.Equal(1, await actor.Increment.Remote(1));
    }

    [Theory]
    [InlineData(Isolation.None)]
    [InlineData(Isolation.Process)]
    public async Task Remote_RetryOnOfTheClass_SendsItAgainOnThatAlone(Isolation isolation)
    {
        await using var apart = await Cluster.Init(new() { NumCpus = 1, WorkerCommand = [LocalAgentFixture.Executable, "worker"] });
        var actor = apart.FlakyActor.Options(new() { Isolation = isolation }).Remote();

        Assert.Equal(3, await actor.TimeOut.Remote(2));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await actor.Throw.Remote());
        Assert.Equal(5, await actor.TimeOut.Remote(0));
        Assert.Equal(7, await actor.TimeOut.Options(new() { RetryOn = thrown => thrown is TimeoutException { Message: "Call 6." } }).Remote(6));
    }

    [Fact]
    public async Task Remote_MoreThanMaxPendingCalls_ThrowsAtOnce()
    {
        var actor = _ray.CountActor.Options(new() { MaxPendingCalls = 2 }).Remote();
        var gate = new TestCallGate();
        var first = actor.Block.Remote(gate);
        var second = actor.Increment.Remote(1);
        Assert.Throws<PendingCallsLimitException>(() => actor.Increment.Remote(1));
        Assert.Throws<PendingCallsLimitException>(() => actor.Up.Remote(1));
        gate.Open();
        await _ray.Get([first, second]);
        Assert.Equal(3, await actor.Increment.Remote(1));
    }

    [Fact]
    public async Task Current_InAnActor_IsItsCluster()
    {
        var actor = _ray.CountActor.Options(new() { Name = "self" }).Remote();
        await using var newer = await Cluster.Init();
        Assert.True(await actor.IsCurrent.Remote("self"));
    }
}
