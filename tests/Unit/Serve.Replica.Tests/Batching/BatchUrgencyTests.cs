using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;
using Serve.Calls;
using Serve.Replica.Batching;

namespace Serve.Replica.Tests.Batching;

public sealed class BatchUrgencyTests : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    private readonly FakeTimeProvider _time = new();
    private readonly ConcurrentQueue<string> _batches = new();
    private readonly ConcurrentQueue<TaskCompletionSource> _ends = new();
    private readonly BatchQueue<int, int> _queue;

    public BatchUrgencyTests() => _queue = new(RunAsync, new() { Settings = new() { MaxBatchSize = 2, WaitTimeout = TimeSpan.Zero }, Time = _time });

    public void Dispose() => _queue.Dispose();

    [Fact]
    public async Task Enqueue_HigherPriority_IsInTheNextBatch()
    {
        var first = Put(0);
        var waiting = new[] { Put(1), Put(2), Put(3, 5), Put(4, -5), Put(5, 5), Put(6) };

        await RunAllAsync([first, .. waiting]);

        Assert.Equal(["0", "3 5", "1 2", "6 4"], _batches);
    }

    [Fact]
    public async Task Enqueue_ManyOfHighPriority_LowerOnesDoNotStarve()
    {
        var first = Put(0);
        var low = Put(1, -1);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        var waiting = Enumerable.Range(2, 40).Select(i => Put(i, 9)).ToArray();

        await RunAllAsync([first, low, .. waiting]);

        Assert.InRange(_batches.ToList().FindIndex(batch => batch.Split(' ').Contains("1")), 1, 9);
    }

    [Fact]
    public async Task Enqueue_BatchWouldEndAfterTheDeadline_IsRefused()
    {
        var first = Put(0);
        WhenStarted(1);
        _time.Advance(TimeSpan.FromSeconds(1));
        End();
        await first.WaitAsync(Bound);

        var running = Put(1);
        WhenStarted(2);
        var (late, enough) = (Put(2, timeout: TimeSpan.FromSeconds(1.5)), Put(3, timeout: TimeSpan.FromSeconds(30)));
        _time.Advance(TimeSpan.FromSeconds(1));
        await RunAllAsync([running, enough]);

        await Assert.ThrowsAsync<DeadlineUnmeetableException>(() => late.WaitAsync(Bound));
        Assert.Equal(["0", "1", "3"], _batches);
        Assert.Equal(0, _queue.Length);
    }

    [Fact]
    public async Task Enqueue_DeadlineBeforeTheEndOfTheWait_BatchStartsEarlier()
    {
        _queue.Settings = new() { MaxBatchSize = 2, WaitTimeout = TimeSpan.FromMinutes(1) };
        var first = Put(1, timeout: TimeSpan.FromSeconds(2));
        Assert.Empty(_batches);

        _time.Advance(TimeSpan.FromSeconds(2));

        await RunAllAsync([first]);
        Assert.Equal(["1"], _batches);
    }

    private Task<int> Put(int value, int priority = 0, TimeSpan? timeout = null)
    {
        var urgency = new CallUrgency(0, priority);
        return _queue.EnqueueAsync(value, null, timeout is { } limit ? urgency.Within(limit, _time) : urgency, default).AsTask();
    }

    private async ValueTask RunAsync(DispatchedBatch<int, int> batch)
    {
        if (!batch.TryStart())
            return;
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _batches.Enqueue(string.Join(' ', batch.Items));
        _ends.Enqueue(end);
        await end.Task;
        for (var i = 0; i < batch.Count; i++)
            batch.SetResult(i, batch.Items[i]);
    }

    private void WhenStarted(int count) => Assert.True(SpinWait.SpinUntil(() => _batches.Count == count, Bound));

    private void End()
    {
        TaskCompletionSource? end = null;
        Assert.True(SpinWait.SpinUntil(() => _ends.TryDequeue(out end), Bound));
        end!.SetResult();
    }

    private async Task RunAllAsync(Task<int>[] all)
    {
        while (!Array.TrueForAll(all, task => task.IsCompleted))
        {
            if (_ends.TryDequeue(out var end))
                end.SetResult();
            else
                await Task.Yield();
        }
    }
}
