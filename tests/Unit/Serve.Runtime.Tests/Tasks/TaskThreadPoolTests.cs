using Serve.Runtime.Tasks;

namespace Serve.Runtime.Tests.Tasks;

public sealed class TaskThreadPoolTests : IAsyncLifetime, IAsyncDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);
    private readonly TaskThreadPool _threads = new();

    public Task InitializeAsync() => Task.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public ValueTask DisposeAsync() => _threads.DisposeAsync();

    [Fact]
    public void Enqueue_ManyItems_AllRunOnPoolThreads()
    {
        using var all = new CountdownEvent(10_000);
        var foreign = 0;
        for (var i = 0; i < 10_000; i++)
        {
            _threads.Enqueue(new ActionWorkItem(() =>
            {
                if (Thread.CurrentThread.IsThreadPoolThread)
                    Interlocked.Increment(ref foreign);
                all.Signal();
            }));
        }

        Assert.True(all.Wait(Bound));
        Assert.Equal(0, foreign);
    }

    [Fact]
    public void Enqueue_BlockingItems_GetMoreThreadsThanProcessors()
    {
        using var together = new Barrier(40);
        var passed = new CountdownEvent(40);
        for (var i = 0; i < 40; i++)
        {
            _threads.Enqueue(new ActionWorkItem(() =>
            {
                together.SignalAndWait(Bound);
                passed.Signal();
            }));
        }

        Assert.True(passed.Wait(Bound));
    }

    [Fact]
    public void RunNow_AllOtherThreadsBlocked_RunsImmediately()
    {
        using var go = new ManualResetEventSlim();
        using var ended = new CountdownEvent(31);
        for (var i = 0; i < 30; i++)
        {
            _threads.RunNow(new ActionWorkItem(() =>
            {
                go.Wait(Bound);
                ended.Signal();
            }));
        }

        _threads.RunNow(new ActionWorkItem(() =>
        {
            go.Set();
            ended.Signal();
        }));
        Assert.True(ended.Wait(Bound));
    }

    [Fact]
    public void Enqueue_ItemThrows_OtherItemsRun()
    {
        using var ran = new ManualResetEventSlim();
        _threads.Enqueue(new ActionWorkItem(() => throw new InvalidOperationException("not awaited")));
        _threads.Enqueue(new ActionWorkItem(ran.Set));
        Assert.True(ran.Wait(Bound));
    }

    [Fact]
    public void RunNow_ItemChangesContext_NextItemDoesNotSeeIt()
    {
        var leaked = new AsyncLocal<string?>();
        var seen = new List<string?>();
        using var ended = new CountdownEvent(20);
        for (var i = 0; i < 20; i++)
        {
            _threads.Enqueue(new ActionWorkItem(() =>
            {
                lock (seen)
                    seen.Add(leaked.Value);
                leaked.Value = "left behind";
                ended.Signal();
            }));
        }

        Assert.True(ended.Wait(Bound));
        Assert.All(seen, Assert.Null);
    }

    [Fact]
    public async Task DisposeAsync_IdleThreads_Exit()
    {
        using var ran = new CountdownEvent(8);
        for (var i = 0; i < 8; i++)
            _threads.RunNow(new ActionWorkItem(() => ran.Signal()));
        Assert.True(ran.Wait(Bound));
        await _threads.DisposeAsync();
        Assert.Equal(0, _threads.ThreadCount);
    }

    [Fact]
    public async Task DisposeAsync_ItemNeverEnds_IsAbandonedAfterTimeout()
    {
        using var go = new ManualResetEventSlim();
        using var started = new ManualResetEventSlim();
        _threads.RunNow(new ActionWorkItem(() =>
        {
            started.Set();
            go.Wait(Bound);
        }));
        started.Wait(Bound);
        var disposing = _threads.DisposeAsync(TimeSpan.FromMilliseconds(20)).AsTask();
        await disposing.WaitAsync(Bound);
        Assert.Equal(1, _threads.ThreadCount);
        go.Set();
    }

    private sealed class ActionWorkItem(Action action) : IThreadPoolWorkItem
    {
        public void Execute() => action();
    }
}
