namespace Serve.Runtime.Tests.Turns;

public sealed class TurnBasedSchedulerTests
{
    private readonly ActorTurnScheduler _turns = ActorTurnScheduler.Create(ConcurrencyMode.TurnBased);

    [Fact]
    public void RunAsync_ActorIsFree_RunsOnTheCallersThread()
    {
        var thread = 0;
        var run = _turns.RunAsync(0, _ =>
        {
            thread = Environment.CurrentManagedThreadId;
            return new ValueTask<int>(7);
        });
        Assert.True(run.IsCompletedSuccessfully);
        Assert.Equal(7, run.Result);
        Assert.Equal(Environment.CurrentManagedThreadId, thread);
    }

    [Fact]
    public void RunAsync_CompletesAtOnce_AllocatesNothing()
    {
        long Measure(int calls)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < calls; i++)
                _ = _turns.RunAsync(i, static x => new ValueTask<int>(x)).Result;
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Measure(100);
        Assert.Equal(0, Measure(1000));
    }

    [Fact]
    public async Task RunAsync_ManyCallersWithAwaits_NeverTwoTurnsAtOnceAndNoneLost()
    {
        var inside = 0;
        var overlaps = 0;
        var count = 0;
        async ValueTask<int> Turn(int seed)
        {
            for (var i = 0; i < 4; i++)
            {
                if (Interlocked.Increment(ref inside) != 1)
                    Interlocked.Increment(ref overlaps);
                count++;
                Thread.SpinWait(seed % 50);
                Interlocked.Decrement(ref inside);
                if (seed % 3 == 0)
                    await Task.Yield();
                else if (seed % 3 == 1)
                    await Task.Run(() => { });
            }

            return seed;
        }

        var callers = Enumerable.Range(0, 16).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; i < 500; i++)
                Assert.Equal(caller + i, await _turns.RunAsync(caller + i, Turn, blocking: i % 101 == 0));
        }));
        await Task.WhenAll(callers).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(0, overlaps);
        Assert.Equal(16 * 500 * 4, count);
    }

    [Fact]
    public async Task RunAsync_HammeredWithShortTurns_LosesNoWakeUp()
    {
        // Short turns from several threads keep the actor at the edge between free and busy, where a wake-up could be lost.
        var count = 0;
        var callers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 50_000; i++)
            {
                await _turns.RunAsync(0, _ =>
                {
                    count++;
                    return new ValueTask<int>(0);
                });
            }
        }));
        await Task.WhenAll(callers).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(200_000, count);
    }

    [Fact]
    public async Task RunAsync_ParallelActorCalledFromATurn_ContinuesOutsideThatTurn()
    {
        var parallel = ActorTurnScheduler.Create(ConcurrencyMode.Parallel);
        var seen = await _turns.RunAsync(parallel, static async parallel =>
        {
            var mine = SynchronizationContext.Current;
            var inner = await parallel.RunAsync(0, static async _ =>
            {
                await Task.Yield();
                return SynchronizationContext.Current;
            });
            return (mine, inner, after: SynchronizationContext.Current);
        }).SoonAsync();
        Assert.Null(seen.inner);
        Assert.NotNull(seen.mine);
        Assert.Same(seen.mine, seen.after);
    }

    [Fact]
    public async Task RunAsync_TurnAwaits_OthersInterleave()
    {
        var gate = new TaskCompletionSource();
        var waiting = _turns.RunAsync(gate, static async gate =>
        {
            await gate.Task;
            return 1;
        });
        Assert.Equal(2, await _turns.RunAsync(0, static _ => new ValueTask<int>(2)));
        Assert.False(waiting.IsCompleted);
        gate.SetResult();
        Assert.Equal(1, await waiting.SoonAsync());
    }

    [Fact]
    public async Task RunAsync_TurnIsRunning_SecondWaitsForItAndRunsOffTheCallersThread()
    {
        using var entered = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        var first = Task.Run(() => _turns.RunAsync(0, _ =>
        {
            entered.Set();
            release.Wait();
            return new ValueTask<int>(1);
        }).AsTask());
        entered.Wait();
        var second = _turns.RunAsync(0, _ => new ValueTask<int>(2));
        Assert.False(second.IsCompleted);
        release.Set();
        Assert.Equal(1, await first.SoonAsync());
        Assert.Equal(2, await second.SoonAsync());
    }

    [Fact]
    public async Task RunAsync_CallerContinues_OutsideTheTurn()
    {
        var release = new TaskCompletionSource();
        var seen = await Task.Run(async () =>
        {
            var run = _turns.RunAsync(release, static async release =>
            {
                await release.Task;
                return SynchronizationContext.Current;
            });
            release.SetResult();
            return (inTurn: await run.ConfigureAwait(false), after: SynchronizationContext.Current);
        }).SoonAsync();
        Assert.NotNull(seen.inTurn);
        Assert.Null(seen.after);
    }

    [Fact]
    public void RunAsync_TurnThrows_RestoresTheSynchronizationContextAndFreesTheActor()
    {
        var outer = new SynchronizationContext();
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(outer);
        try
        {
            var failed = _turns.RunAsync<int, int>(0, _ => throw new InvalidOperationException("no"));
            Assert.Same(outer, SynchronizationContext.Current);
            Assert.True(failed.IsFaulted);
            Assert.True(_turns.RunAsync(0, _ => new ValueTask<int>(1)).IsCompletedSuccessfully);
            Assert.Same(outer, SynchronizationContext.Current);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    [Theory]
    [InlineData(ConcurrencyMode.TurnBased)]
    [InlineData(ConcurrencyMode.Parallel)]
    public async Task RunAsync_Blocking_RunsOnADedicatedThreadBeforeAndAfterAwaits(ConcurrencyMode mode)
    {
        var (before, after) = await ActorTurnScheduler.Create(mode).RunAsync(0, static async _ =>
        {
            var before = Thread.CurrentThread.IsThreadPoolThread;
            await Task.Yield();
            return (before, Thread.CurrentThread.IsThreadPoolThread);
        }, blocking: true).SoonAsync();
        Assert.False(before);
        Assert.False(after);
    }

    [Fact]
    public async Task RunAsync_BlockingTurn_HoldsTheActor()
    {
        using var release = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        var blocking = _turns.RunAsync(0, _ =>
        {
            entered.Set();
            release.Wait();
            return new ValueTask<int>(1);
        }, blocking: true);
        entered.Wait();
        var next = _turns.RunAsync(0, _ => new ValueTask<int>(2));
        Assert.False(next.IsCompleted);
        release.Set();
        Assert.Equal(2, await next.SoonAsync());
        Assert.Equal(1, await blocking.SoonAsync());
    }

    [Fact]
    public async Task RunAsync_ActorCallsItselfThroughAnother_DoesNotDeadlock()
    {
        var other = ActorTurnScheduler.Create(ConcurrencyMode.TurnBased);
        var result = await _turns.RunAsync((_turns, other), static async pair =>
            1 + await pair.other.RunAsync(pair._turns, static async turns => 1 + await turns.RunAsync(0, static _ => new ValueTask<int>(1)))).SoonAsync();
        Assert.Equal(3, result);
    }

    [Fact]
    public async Task RunAsync_AsyncVoidThrows_ActorLivesOn()
    {
        await _turns.RunAsync(0, static async _ =>
        {
            Throw();
            await Task.Yield();
            return 0;
            static async void Throw()
            {
                await Task.Yield();
                throw new InvalidOperationException("unobserved");
            }
        }).SoonAsync();
        for (var i = 0; i < 10; i++)
            Assert.Equal(i, await _turns.RunAsync(i, static x => new ValueTask<int>(x)).SoonAsync());
    }

    [Fact]
    public async Task RunAsync_DeepChainOfActors_DoesNotOverflowTheStack()
    {
        static ValueTask<int> Descend(int depth) => depth == 0
            ? new ValueTask<int>(0)
            : ActorTurnScheduler.Create(ConcurrencyMode.TurnBased).RunAsync(depth, static depth => Descend(depth - 1));
        Assert.Equal(0, await Descend(50_000).SoonAsync());
    }

    [Fact]
    public async Task RunAsync_AsyncLocal_FlowsIntoAQueuedTurn()
    {
        var local = new AsyncLocal<string>();
        using var release = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        var first = _turns.RunAsync(0, _ =>
        {
            entered.Set();
            release.Wait();
            return new ValueTask<int>(1);
        }, blocking: true);
        entered.Wait();
        local.Value = "mine";
        var second = _turns.RunAsync(local, static local => new ValueTask<string?>(local.Value));
        local.Value = "changed";
        release.Set();
        Assert.Equal("mine", await second.SoonAsync());
        await first;
    }

    [Fact]
    public async Task Wrap_EveryStep_IsATurn()
    {
        var contexts = new List<SynchronizationContext?>();
        async IAsyncEnumerable<int> Items()
        {
            try
            {
                for (var i = 0; i < 3; i++)
                {
                    contexts.Add(SynchronizationContext.Current);
                    yield return i;
                    await Task.Yield();
                }
            }
            finally
            {
                contexts.Add(SynchronizationContext.Current);
            }
        }

        var seen = new List<int>();
        await foreach (var item in _turns.Wrap(Items()))
            seen.Add(item);
        Assert.Equal([0, 1, 2], seen);
        Assert.Equal(4, contexts.Count);
        Assert.All(contexts, Assert.NotNull);
        Assert.Single(contexts.Distinct());
    }
}
