using System.Diagnostics.Metrics;
using Serve.Runtime.Execution;

namespace Serve.Runtime.Tests.Execution;

public sealed class DedicatedThreadPoolTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    public static TheoryData<bool> Spinning => [false, true];

    [Theory]
    [MemberData(nameof(Spinning))]
    public async Task Start_ManyBlockingItems_AllRunConcurrently(bool spins)
    {
        await using var pool = new DedicatedThreadPool("test", spins: spins);
        using var all = new Barrier(17);
        for (var i = 0; i < 16; i++)
            pool.Start(new Item(() => all.SignalAndWait(Bound)));

        Assert.True(await Task.Run(() => all.SignalAndWait(Bound)));
    }

    [Theory]
    [MemberData(nameof(Spinning))]
    public async Task Start_OneAfterTheOther_ReusesThreads(bool spins)
    {
        await using var pool = new DedicatedThreadPool("test", spins: spins);
        for (var i = 0; i < 20; i++)
        {
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            pool.Start(new Item(done.SetResult));
            await done.Task.WaitAsync(Bound);
        }

        // A thread that is about to become idle is not reused yet.
        Assert.InRange(pool.ThreadCount, 1, 6);
    }

    [Theory]
    [MemberData(nameof(Spinning))]
    public async Task Start_FromManyThreads_RunsEachItemOnce(bool spins)
    {
        await using var pool = new DedicatedThreadPool("test", spins: spins);
        using var all = new CountdownEvent(8_000);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 2_000; i++)
                pool.Start(new Item(() => all.Signal()));
        })));

        Assert.True(all.Wait(Bound));
    }

    [Fact]
    public async Task Start_AboveTheLimit_WaitsForAFreeThread()
    {
        await using var pool = new DedicatedThreadPool("test", limit: 2);
        using var go = new ManualResetEventSlim();
        using var ended = new CountdownEvent(4);
        for (var i = 0; i < 4; i++)
        {
            pool.Start(new Item(() =>
            {
                go.Wait(Bound);
                ended.Signal();
            }));
        }

        Assert.Equal((2, 2), (pool.ThreadCount, pool.QueuedCount));
        go.Set();
        Assert.True(ended.Wait(Bound));
        Assert.Equal(2, pool.ThreadCount);
    }

    [Fact]
    public async Task Start_ItemThrows_ThreadContinues()
    {
        await using var pool = new DedicatedThreadPool("test", limit: 1);
        using var ran = new ManualResetEventSlim();
        pool.Start(new Item(() => throw new InvalidOperationException("unobserved")));
        pool.Start(new Item(ran.Set));

        Assert.True(ran.Wait(Bound));
    }

    [Fact]
    public async Task Start_ItemLeavesContextBehind_NextItemDoesNotSeeIt()
    {
        await using var pool = new DedicatedThreadPool("test", limit: 1);
        var leaked = new AsyncLocal<string?>();
        var seen = new TaskCompletionSource<(string?, SynchronizationContext?)>(TaskCreationOptions.RunContinuationsAsynchronously);
        pool.Start(new Item(() =>
        {
            leaked.Value = "left behind";
            SynchronizationContext.SetSynchronizationContext(new());
        }));
        pool.Start(new Item(() => seen.SetResult((leaked.Value, SynchronizationContext.Current))));

        Assert.Equal((null, null), await seen.Task.WaitAsync(Bound));
    }

    [Fact]
    public async Task Start_IdleThread_ExitsAfterItsTimeout()
    {
        await using var pool = new DedicatedThreadPool("test", 8, 0, spins: false, idleTimeout: TimeSpan.FromMilliseconds(20));
        using var ran = new CountdownEvent(8);
        for (var i = 0; i < 8; i++)
            pool.Start(new Item(() => ran.Signal()));
        Assert.True(ran.Wait(Bound));

        Assert.True(SpinWait.SpinUntil(() => pool.ThreadCount == 0, Bound), $"{pool.ThreadCount} threads are left.");
    }

    [Fact]
    public async Task Start_AtTheIdleTimeout_LosesNoItem()
    {
        // An item is assigned at the moment at which the idle thread times out.
        await using var pool = new DedicatedThreadPool("test", 1, 0, spins: false, idleTimeout: TimeSpan.FromMilliseconds(1));
        for (var i = 0; i < 300; i++)
        {
            using var ran = new ManualResetEventSlim();
            pool.Start(new Item(ran.Set));
            Assert.True(ran.Wait(Bound));
            Thread.Sleep(1);
        }
    }

    [Fact]
    public async Task DisposeAsync_IdleThreads_Exit()
    {
        var pool = new DedicatedThreadPool("test");
        using var ran = new CountdownEvent(8);
        for (var i = 0; i < 8; i++)
            pool.Start(new Item(() => ran.Signal()));
        Assert.True(ran.Wait(Bound));
        await pool.DisposeAsync(Bound);

        Assert.Equal(0, pool.ThreadCount);
    }

    [Fact]
    public async Task DisposeAsync_ItemThatDoesNotEnd_IsAbandonedAfterTheTimeout()
    {
        var pool = new DedicatedThreadPool("test");
        using var go = new ManualResetEventSlim();
        using var started = new ManualResetEventSlim();
        pool.Start(new Item(() =>
        {
            started.Set();
            go.Wait(Bound);
        }));
        started.Wait(Bound);
        await pool.DisposeAsync(TimeSpan.FromMilliseconds(20)).AsTask().WaitAsync(Bound);

        Assert.Equal(1, pool.ThreadCount);
        go.Set();
        Assert.True(SpinWait.SpinUntil(() => pool.ThreadCount == 0, Bound));
    }

    [Fact]
    public async Task Metrics_OfAPool_CountItsThreads()
    {
        await using var pool = new DedicatedThreadPool("metrics-test", limit: 1);
        using var go = new ManualResetEventSlim();
        using var ended = new CountdownEvent(3);
        for (var i = 0; i < 3; i++)
        {
            pool.Start(new Item(() =>
            {
                go.Wait(Bound);
                ended.Signal();
            }));
        }

        DedicatedThreadPool.CreateInstruments();
        var measured = new Dictionary<string, int>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == "Serve.Runtime")
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) =>
        {
            if (tags.Contains(new("pool", "metrics-test")))
                measured[instrument.Name] = value;
        });
        listener.Start();
        listener.RecordObservableInstruments();
        go.Set();

        Assert.True(ended.Wait(Bound));
        Assert.Equal(1, measured["dedicated_threads"]);
        Assert.Equal(2, measured["dedicated_threads_queued"]);
    }

    private sealed class Item(Action action) : IThreadPoolWorkItem
    {
        public void Execute() => action();
    }
}
