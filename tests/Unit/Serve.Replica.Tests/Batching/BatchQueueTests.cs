using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;
using Serve.Replica.Batching;
using Serve.Runtime;

namespace Serve.Replica.Tests.Batching;

public sealed class BatchQueueTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly FakeTimeProvider _time = new();
    private readonly RecordingBatchObserver _observer = new();
    private readonly ConcurrentQueue<string> _batches = new();
    private readonly CancellationTokenSource _aborted = new();
    private readonly List<IDisposable> _made = [];

    /// <summary>Running batches, which the test completes.</summary>
    private readonly ConcurrentQueue<TaskCompletionSource> _ends = new();

    public void Dispose()
    {
        _made.ForEach(queue => queue.Dispose());
        _aborted.Dispose();
    }

    [Fact]
    public async Task Enqueue_FewerThanABatch_StartsWhenTheFirstHasWaited()
    {
        var queue = Make(new() { MaxBatchSize = 4, WaitTimeout = TimeSpan.FromMilliseconds(10) });

        var one = Put(queue, 1, null, default);
        _time.Advance(TimeSpan.FromMilliseconds(6));
        var two = Put(queue, 2, null, default);
        _time.Advance(TimeSpan.FromMilliseconds(3));
        Assert.Empty(_batches);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal((int[])[10, 20], await AllAsync([one, two]));
        Assert.Equal(["1 2"], _batches);
    }

    [Fact]
    public async Task WaitTimeout_OfPartsOfAMillisecond_IsRoundedUpToWhatATimerCan()
    {
        var queue = Make(new() { MaxBatchSize = 4, WaitTimeout = TimeSpan.FromMilliseconds(1.5) });

        var result = Put(queue, 1, null, default);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, queue.Length);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(0, queue.Length);
        Assert.Equal(10, await result.WaitAsync(Limit));
    }

    [Fact]
    public async Task Enqueue_AFullBatch_StartsAtOnce()
    {
        var queue = Make(new() { MaxBatchSize = 3, WaitTimeout = TimeSpan.FromHours(1) });

        var results = await AllAsync(Enumerable.Range(1, 6).Select(i => Put(queue, i, null, default)));

        Assert.Equal([10, 20, 30, 40, 50, 60], results);
        Assert.Equal(["1 2 3", "4 5 6"], _batches.Order());
    }

    [Fact]
    public async Task Enqueue_NoWaitAndNothingRuns_StartsAtOnce()
    {
        var queue = Make(new() { MaxBatchSize = 3, WaitTimeout = TimeSpan.Zero });

        Assert.Equal(10, await Put(queue, 1, null, default));
        Assert.Equal(20, await Put(queue, 2, null, default));
        Assert.Equal(["1", "2"], _batches);
    }

    [Fact]
    public async Task Enqueue_WhileOneRuns_GathersUntilItEnds()
    {
        var queue = Make(new() { MaxBatchSize = 3, WaitTimeout = TimeSpan.Zero }, gated: true);

        var first = Put(queue, 1, null, default);
        await RunningAsync(1);
        var others = Enumerable.Range(2, 4).Select(i => Put(queue, i, null, default)).ToArray();
        Assert.Equal(4, queue.Length);
        Release(0);
        await RunningAsync(2);
        Release(1);
        await RunningAsync(3);
        Release(2);

        Assert.Equal(10, await first);
        Assert.Equal((int[])[20, 30, 40, 50], await AllAsync(others));
        Assert.Equal(["1", "2 3 4", "5"], _batches);
    }

    [Fact]
    public async Task MaxConcurrentBatches_ThatMany_RunAtOnceAndNoMore()
    {
        var queue = Make(new() { MaxBatchSize = 1, WaitTimeout = TimeSpan.Zero, MaxConcurrentBatches = 2 }, gated: true);

        var results = Enumerable.Range(1, 3).Select(i => Put(queue, i, null, default)).ToArray();
        await RunningAsync(2);
        Assert.Equal(1, queue.Length);
        Release(0);
        await RunningAsync(3);
        Release(1);
        Release(2);

        Assert.Equal((int[])[10, 20, 30], await AllAsync(results));
    }

    [Fact]
    public async Task Cancel_BeforeItsBatchStarts_LeavesIt()
    {
        var queue = Make(new() { MaxBatchSize = 3, WaitTimeout = TimeSpan.FromMilliseconds(10) });
        using var gone = new CancellationTokenSource();

        var one = Put(queue, 1, null, default);
        var two = Put(queue, 2, null, gone.Token);
        await gone.CancelAsync();
        Assert.Equal(gone.Token, (await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await two)).CancellationToken);
        Assert.Equal(1, queue.Length);

        // It does not count any more: two others fill the batch.
        var others = AllAsync([Put(queue, 3, null, default), Put(queue, 4, null, default)]);
        Assert.Equal((int[])[30, 40], await others);
        Assert.Equal(10, await one);
        Assert.Equal(["1 3 4"], _batches);
    }

    [Fact]
    public async Task Cancel_AllOfARunningBatch_CancelsIt()
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var started = new TaskCompletionSource<CancellationToken>(TaskCreationOptions.RunContinuationsAsynchronously);
        var queue = Add(new BatchQueue<int, int>(async batch =>
        {
            batch.TryStart();
            batch.CancellationToken.Register(stopped.SetResult);
            started.SetResult(batch.CancellationToken);
            await stopped.Task;
        }, new() { Settings = new() { MaxBatchSize = 2, WaitTimeout = TimeSpan.FromHours(1) }, Time = _time }));
        using var one = new CancellationTokenSource();
        using var two = new CancellationTokenSource();

        var results = new[] { Put(queue, 1, null, one.Token), Put(queue, 2, null, two.Token) };
        var token = await started.Task.WaitAsync(Limit);
        await one.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => results[0]);
        Assert.False(token.IsCancellationRequested);
        await two.CancelAsync();

        await stopped.Task.WaitAsync(Limit);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => results[1]);
    }

    [Fact]
    public async Task Cancel_AllBeforeTheStart_RunsNothing()
    {
        var queue = Make(new() { MaxBatchSize = 2, WaitTimeout = TimeSpan.FromMilliseconds(5) });
        using var gone = new CancellationTokenSource();

        var result = Put(queue, 1, null, gone.Token);
        await gone.CancelAsync();
        _time.Advance(TimeSpan.FromMilliseconds(20));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await result);
        Assert.Equal(20, await EnqueueAndPassAsync(queue, 2));
        Assert.Equal(["2"], _batches);
    }

    [Fact]
    public async Task Models_Different_NeverShareABatch()
    {
        var queue = Make(new() { MaxBatchSize = 2, WaitTimeout = TimeSpan.FromMilliseconds(10), MaxConcurrentBatches = 8 });

        var results = AllAsync([
            Put(queue, 1, "a", default), Put(queue, 2, "b", default), Put(queue, 3, null, default),
            Put(queue, 4, "b", default), Put(queue, 5, "a", default)]);
        _time.Advance(TimeSpan.FromMilliseconds(10));

        Assert.Equal((int[])[10, 20, 30, 40, 50], await results);
        Assert.Equal(["3", "a: 1 5", "b: 2 4"], _batches.Order());
    }

    [Fact]
    public async Task Models_OneSlot_TheOneThatWaitedLongestIsNext()
    {
        var queue = Make(new() { MaxBatchSize = 2, WaitTimeout = TimeSpan.Zero }, gated: true);
        var results = new List<Task<int>> { Put(queue, 0, null, default) };
        await RunningAsync(1);
        foreach (var (value, model) in new[] { (1, "a"), (2, "b"), (3, "a"), (4, "b") })
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            results.Add(Put(queue, value, model, default));
        }

        for (var i = 0; i < 3; i++)
        {
            await RunningAsync(i + 1);
            Release(i);
        }

        await Task.WhenAll(results);
        Assert.Equal(["0", "a: 1 3", "b: 2 4"], _batches);
    }

    [Fact]
    public async Task Sizes_OfABatch_DoNotAddUpToMoreThanTheMost()
    {
        var queue = Make(new() { MaxBatchSize = 10, WaitTimeout = TimeSpan.FromMilliseconds(10), MaxConcurrentBatches = 8 }, sizeOf: item => item);

        var results = AllAsync(new[] { 4, 4, 3, 9, 10 }.Select(size => Put(queue, size, null, default)));
        _time.Advance(TimeSpan.FromMilliseconds(10));

        Assert.Equal((int[])[40, 40, 30, 90, 100], await results);
        Assert.Equal(["10", "3", "4 4", "9"], _batches.Order());
        Assert.Throws<BadInputException>(() => { _ = Put(queue, 11, null, default); });
    }

    [Fact]
    public async Task Limit_AllThatMayComeAreHere_StartsAtOnce()
    {
        var gate = new ConcurrencyLimiter(3);
        var queue = Make(new() { MaxBatchSize = 10, WaitTimeout = TimeSpan.FromHours(1) }, gate: gate);

        Assert.Equal((int[])[10, 20, 30], await AllAsync(Enumerable.Range(1, 3).Select(i => Put(queue, i, null, default))));

        gate.Limit = 1;
        Assert.Equal(40, await Put(queue, 4, null, default).WaitAsync(Limit));
        Assert.Equal(["1 2 3", "4"], _batches);
    }

    [Fact]
    public async Task Limit_TheOthersRun_StartsAtOnce()
    {
        var queue = Make(new() { MaxBatchSize = 2, WaitTimeout = TimeSpan.FromHours(1), MaxConcurrentBatches = 2 }, gated: true, gate: new ConcurrencyLimiter(3));
        _ = AllAsync([Put(queue, 1, null, default), Put(queue, 2, null, default)]);
        await RunningAsync(1);

        _ = Put(queue, 3, null, default);

        await RunningAsync(2);
        Assert.Equal(["1 2", "3"], _batches);
    }

    [Fact]
    public async Task Gate_Closed_StartsWhatWaitsAndWhatComesAtOnce()
    {
        var gate = new ConcurrencyLimiter(100);
        var queue = Make(new() { MaxBatchSize = 10, WaitTimeout = TimeSpan.FromHours(1) }, gate: gate);
        var waiting = new[] { Put(queue, 1, null, default), Put(queue, 2, null, default) };
        Assert.Empty(_batches);

        gate.Close();

        Assert.Equal((int[])[10, 20], await AllAsync(waiting));
        Assert.Equal(30, await Put(queue, 3, null, default).WaitAsync(Limit));
        Assert.Equal(["1 2", "3"], _batches);
    }

    [Fact]
    public async Task Dispose_WhatOutlivesIt_DoesNotKeepTheQueue()
    {
        var gate = new ConcurrencyLimiter(100);
        var queue = MakeDisposed(gate, _time, _aborted.Token);

        await GoneAsync(queue);

        GC.KeepAlive(gate);
        GC.KeepAlive(_time);
        GC.KeepAlive(_aborted);
    }

    [Fact]
    public async Task Sizes_BelowOne_CountOne()
    {
        var queue = Make(new() { MaxBatchSize = 2, WaitTimeout = TimeSpan.FromHours(1) }, sizeOf: item => item - 3);

        Assert.Equal((int[])[30, 20], await AllAsync([Put(queue, 3, null, default), Put(queue, 2, null, default)]));
        Assert.Equal(["3 2"], _batches);
    }

    [Fact]
    public async Task Enqueue_WhileAnotherDecides_IsTakenInOrder()
    {
        var looked = new ObservedTimeProvider();
        var queue = Add(new BatchQueue<int, int>(GiveTenfold, new() { Settings = new() { MaxBatchSize = 3, WaitTimeout = TimeSpan.FromHours(1) }, Time = looked }));
        List<Task<int>> others = [];
        // The first reading of the clock is for the item, the second for the decision.
        looked.AtLook(2, () => others.AddRange([Put(queue, 2, null, default), Put(queue, 3, null, default)]));

        var first = Put(queue, 1, null, default);

        Assert.Equal((int[])[10, 20, 30], await AllAsync([first, .. others]));
        Assert.Equal(["1 2 3"], _batches);
    }

    [Fact]
    public async Task Run_OnACallersThread_SeesNothingOfItsContextAndLeavesItAsItWas()
    {
        var of = new AsyncLocal<string?>();
        ConcurrentQueue<(string?, int)> seen = [];
        var queue = Add(new BatchQueue<int, int>(
            batch =>
            {
                seen.Enqueue((of.Value, Environment.CurrentManagedThreadId));
                return GiveTenfold(batch);
            }, new() { Settings = new() { MaxBatchSize = 1 }, Time = _time, RunsElsewhere = true }));

        of.Value = "caller";
        var result = Put(queue, 1, null, default);

        Assert.Equal([(null, Environment.CurrentManagedThreadId)], seen);
        Assert.Equal("caller", of.Value);
        Assert.Equal(10, await result.WaitAsync(Limit));
    }

    [Fact]
    public async Task Sizes_LargerThanTheMostWhereThatIsNotRefused_AreBatchesOfTheirOwn()
    {
        var queue = Make(new() { MaxBatchSize = 10, WaitTimeout = TimeSpan.FromHours(1) }, sizeOf: item => item, refusesLarger: false);

        Assert.Equal((int[])[110, 60, 40], await AllAsync(new[] { 11, 6, 4 }.Select(size => Put(queue, size, null, default))));
        Assert.Equal(["11", "6 4"], _batches);
    }

    [Fact]
    public async Task Run_Throws_FailsEachWithIt()
    {
        var queue = Add(new BatchQueue<int, int>(batch =>
        {
            batch.TryStart();
            batch.SetResult(0, 7);
            throw new InvalidOperationException("broken");
        }, new() { Settings = new() { MaxBatchSize = 3, WaitTimeout = TimeSpan.FromHours(1) }, Time = _time }));

        var results = Enumerable.Range(1, 3).Select(i => Put(queue, i, null, default)).ToArray();

        Assert.Equal(7, await results[0]);
        Assert.Equal("broken", (await Assert.ThrowsAsync<InvalidOperationException>(() => results[1])).Message);
        Assert.Equal("broken", (await Assert.ThrowsAsync<InvalidOperationException>(() => results[2])).Message);
    }

    [Fact]
    public async Task Run_Throws_ReportedOnceWithRemainingCallers()
    {
        ConcurrentQueue<(string, int)> failures = [];
        using var gone = new CancellationTokenSource();
        var queue = Add(new BatchQueue<int, int>(async batch =>
        {
            batch.TryStart();
            batch.SetResult(0, 7);
            await gone.CancelAsync();
            throw new InvalidOperationException("broken");
        }, new() { Settings = new() { MaxBatchSize = 4, WaitTimeout = TimeSpan.FromHours(1) }, Time = _time, Failed = (thrown, callers) => failures.Enqueue((thrown.Message, callers)) }));

        var results = Enumerable.Range(1, 4).Select(i => Put(queue, i, null, i == 2 ? gone.Token : default)).ToArray();

        await Assert.ThrowsAsync<InvalidOperationException>(() => results[3].WaitAsync(Limit));
        Assert.Equal([("broken", 2)], failures);
    }

    [Fact]
    public async Task Run_CancelsItself_IsReported()
    {
        ConcurrentQueue<(Exception, int)> failures = [];
        var thrown = new OperationCanceledException("too slow");
        var queue = Add(new BatchQueue<int, int>(
            batch => batch.TryStart() ? throw thrown : default,
            new() { Settings = new() { MaxBatchSize = 1 }, Time = _time, Aborted = _aborted.Token, Failed = (error, callers) => failures.Enqueue((error, callers)) }));

        await Assert.ThrowsAsync<OperationCanceledException>(() => Put(queue, 1, null, default).WaitAsync(Limit));

        Assert.Equal([(thrown, 1)], failures);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Run_ThrowsAfterAbort_IsNotReported(bool aborts, bool disposes)
    {
        ConcurrentQueue<(Exception, int)> failures = [];
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var gone = new CancellationTokenSource();
        var queue = Add(new BatchQueue<int, int>(async batch =>
        {
            batch.TryStart();
            batch.AtEnd = ended.SetResult;
            started.TrySetResult();
            await Task.Delay(Timeout.Infinite, batch.CancellationToken);
        }, new() { Settings = new() { MaxBatchSize = 1 }, Aborted = _aborted.Token, Failed = (thrown, callers) => failures.Enqueue((thrown, callers)) }));
        var result = Put(queue, 1, null, gone.Token);
        await started.Task.WaitAsync(Limit);

        if (aborts)
            await _aborted.CancelAsync();
        else if (disposes)
            queue.Dispose();
        else
            await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => result.WaitAsync(Limit));
        await ended.Task.WaitAsync(Limit);
        Assert.Empty(failures);
    }

    [Fact]
    public async Task Run_ForgetsAnItem_FailsIt()
    {
        var queue = Add(new BatchQueue<int, int>(batch =>
        {
            batch.TryStart();
            return ValueTask.CompletedTask;
        }, new() { Settings = new() { WaitTimeout = TimeSpan.Zero } }));

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => Put(queue, 1, null, default));

        Assert.Contains("without a result", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Settings_Changed_AreInForceForWhatWaits()
    {
        var queue = Make(new() { MaxBatchSize = 10, WaitTimeout = TimeSpan.FromHours(1) });
        var results = Enumerable.Range(1, 4).Select(i => Put(queue, i, null, default)).ToArray();
        Assert.Empty(_batches);

        queue.Settings = queue.Settings with { MaxBatchSize = 2 };

        Assert.Equal((int[])[10, 20, 30, 40], await AllAsync(results));
        Assert.Equal(["1 2", "3 4"], _batches);
    }

    [Fact]
    public async Task Aborted_CancelsWhatWaitsAndWhatRuns()
    {
        var queue = Make(new() { MaxBatchSize = 1, WaitTimeout = TimeSpan.Zero }, gated: true);
        var one = Put(queue, 1, null, default);
        await RunningAsync(1);
        var two = Put(queue, 2, null, default);

        await _aborted.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => two);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => one);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Put(queue, 3, null, default));
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(null, true)]
    [InlineData("m", false)]
    public async Task Ended_NothingOfItIsKept(string? model, bool fails)
    {
        var queue = new BatchQueue<object, int>(
            batch =>
            {
                batch.TryStart();
                return fails ? throw new IOException() : batch.SetResult(0, 1) ? default : throw new InvalidOperationException();
            }, new() { Settings = new() { MaxBatchSize = 1 }, Time = _time, RunsElsewhere = true });
        _made.Add(queue);
        using var caller = new CancellationTokenSource();

        var (item, name) = PutOne(queue, model, caller.Token);
        await GoneAsync(item);
        await GoneAsync(name);

        GC.KeepAlive(queue);
        GC.KeepAlive(caller);
    }

    [Fact]
    public async Task Result_OfACaller_ContinuesItElsewhereThanTheBatch()
    {
        var giving = 0;
        var start = new TaskCompletionSource();
        var queue = Add(new BatchQueue<int, int>(async batch =>
        {
            await start.Task;
            batch.TryStart();
            Volatile.Write(ref giving, Environment.CurrentManagedThreadId);
            batch.SetResult(0, 1);
            Volatile.Write(ref giving, 0);
        }, new() { Settings = new() { MaxBatchSize = 1 }, Time = _time }));

        var continued = Put(queue, 1, null, default).ContinueWith(
            _ => Volatile.Read(ref giving) == Environment.CurrentManagedThreadId, default, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        start.SetResult();

        Assert.False(await continued.WaitAsync(Limit));
    }

    [Fact]
    public async Task Cancel_ByTheLastCaller_TellsTheBatchElsewhere()
    {
        var cancelling = 0;
        var canceled = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var queue = Add(new BatchQueue<int, int>(
            batch =>
            {
                batch.TryStart();
                batch.CancellationToken.Register(() => canceled.SetResult(Volatile.Read(ref cancelling) == Environment.CurrentManagedThreadId));
                return new(canceled.Task);
            }, new() { Settings = new() { MaxBatchSize = 1 }, Time = _time, RunsElsewhere = true }));
        using var gone = new CancellationTokenSource();
        var result = Put(queue, 1, null, gone.Token);

        Volatile.Write(ref cancelling, Environment.CurrentManagedThreadId);
        gone.Cancel();
        Volatile.Write(ref cancelling, 0);

        Assert.False(await canceled.Task.WaitAsync(Limit));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => result);
    }

    [Fact]
    public async Task Cancel_SomeBetweenFormingAndStart_AreNotCountedAsRunningForEver()
    {
        using var gone = new CancellationTokenSource();
        var queue = Add(new BatchQueue<int, int>(
            batch =>
            {
                gone.Cancel();
                return GiveTenfold(batch);
            }, new() { Settings = new() { MaxBatchSize = 2, WaitTimeout = TimeSpan.FromHours(1) }, Time = _time, Gate = new ConcurrencyLimiter(2), Observer = _observer }));
        var left = Put(queue, 1, null, gone.Token);
        Assert.Equal(20, await Put(queue, 2, null, default).WaitAsync(Limit));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        Assert.True(await _observer.Ended.WaitAsync(Limit));

        // Another caller may arrive, so this one waits for it.
        var third = Put(queue, 3, null, default);
        Assert.Equal(1, queue.Length);

        Assert.Equal((int[])[30, 40], await AllAsync([third, Put(queue, 4, null, default)]));
        Assert.Equal(["2", "3 4"], _batches);
    }

    [Fact]
    public async Task Models_OfDifferentAge_EachStartsAtItsTime()
    {
        var queue = Make(new() { MaxBatchSize = 1, WaitTimeout = TimeSpan.FromMilliseconds(10) }, gated: true);
        _ = Put(queue, 1, null, default);
        await RunningAsync(1);
        queue.Settings = queue.Settings with { MaxBatchSize = 2 };
        _ = Put(queue, 3, "a", default);
        _time.Advance(TimeSpan.FromMilliseconds(5));
        _ = Put(queue, 4, "b", default);
        Release(0);
        Assert.True(await _observer.Ended.WaitAsync(Limit));
        Assert.Equal(2, queue.Length);

        _time.Advance(TimeSpan.FromMilliseconds(5));

        Assert.Equal(1, queue.Length);
        await RunningAsync(2);
        Assert.Equal(["1", "a: 3"], _batches);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cancel_BeforeTheBatchAsksForItsToken_ItIsCancelledWhenItDoes(bool byCaller)
    {
        using var gone = new CancellationTokenSource();
        var token = new TaskCompletionSource<CancellationToken>(TaskCreationOptions.RunContinuationsAsynchronously);
        var queue = Add(new BatchQueue<int, int>(
            batch =>
            {
                batch.TryStart();
                (byCaller ? gone : _aborted).Cancel();
                token.SetResult(batch.CancellationToken);
                return default;
            }, new() { Settings = new() { MaxBatchSize = 1 }, Time = _time, RunsElsewhere = true, Aborted = _aborted.Token }));

        _ = Put(queue, 1, null, gone.Token);

        Assert.True((await token.Task.WaitAsync(Limit)).IsCancellationRequested);
    }

    [Fact]
    public async Task Cancel_OneBeforeTheStartAndTheOtherAfter_CancelsTheBatch()
    {
        using var one = new CancellationTokenSource();
        using var other = new CancellationTokenSource();
        var queue = Add(new BatchQueue<int, int>(
            async batch =>
            {
                one.Cancel();
                batch.TryStart();
                var stopped = Task.Delay(Timeout.Infinite, batch.CancellationToken);
                other.Cancel();
                await stopped;
            }, new() { Settings = new() { MaxBatchSize = 2, WaitTimeout = TimeSpan.FromHours(1) }, Time = _time, Observer = _observer }));

        _ = Put(queue, 1, null, one.Token);
        _ = Put(queue, 2, null, other.Token);

        Assert.True(await _observer.Ended.WaitAsync(Limit));
    }

    [Fact]
    public async Task Cancel_AllBetweenFormingAndStart_IsNoBatch()
    {
        var started = true;
        using var gone = new CancellationTokenSource();
        var queue = Add(new BatchQueue<int, int>(
            batch =>
            {
                gone.Cancel();
                started = batch.TryStart();
                return ValueTask.CompletedTask;
            }, new() { Settings = new() { MaxBatchSize = 1 }, Time = _time, Observer = _observer, RunsElsewhere = true }));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Put(queue, 1, null, gone.Token).WaitAsync(Limit));

        Assert.False(started);
        Assert.Null(_observer.Seen);
    }

    [Fact]
    public async Task Adaptive_WaitsAccordingToEarlierBatches()
    {
        var queue = Make(new(), gated: true);
        var training = new BatchQueueSettings { WaitTimeout = TimeSpan.FromHours(1) };
        var runs = 0;
        async Task EndAsync()
        {
            await RunningAsync(++runs);
            _time.Advance(TimeSpan.FromMilliseconds(8));
            Release(runs - 1);
            Assert.True(await _observer.Ended.WaitAsync(Limit));
        }

        void PutSeveral(int count)
        {
            for (var i = 0; i < count; i++)
                _ = Put(queue, i, null, default);
        }

        // Five concurrent callers, whose batches take 8 ms regardless of their size.
        for (var round = 0; round < 20; round++)
        {
            queue.Settings = training with { MaxBatchSize = 3 };
            PutSeveral(5);
            await RunningAsync(runs + 1);
            queue.Settings = training with { MaxBatchSize = 2 };
            await EndAsync();
            await EndAsync();
        }

        // With three callers waiting, it pays to wait a quarter of that time for others, limited by the setting.
        queue.Settings = new() { MaxBatchSize = 10, WaitTimeout = TimeSpan.FromHours(1), Adaptive = true };
        _time.Advance(TimeSpan.FromMilliseconds(20));
        PutSeveral(3);
        Assert.Equal(3, queue.Length);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(3, queue.Length);
        _time.Advance(TimeSpan.FromMilliseconds(2));
        Assert.Equal(0, queue.Length);
        await EndAsync();
        queue.Settings = queue.Settings with { WaitTimeout = TimeSpan.FromMilliseconds(1) };
        PutSeveral(3);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, queue.Length);
        await EndAsync();

        // After a long absence of the others, the remaining caller does not wait any more.
        queue.Settings = queue.Settings with { WaitTimeout = TimeSpan.FromHours(1) };
        for (var round = 0; round < 60; round++)
        {
            PutSeveral(1);
            _time.Advance(TimeSpan.FromMilliseconds(8));
            await EndAsync();
        }

        PutSeveral(1);
        Assert.Equal(0, queue.Length);
        await EndAsync();
    }

    [Fact]
    public async Task Adaptive_BatchesThatAllHaveLeft_TeachNothing()
    {
        CancellationTokenSource? gone = null;
        var queue = Add(new BatchQueue<int, int>(
            batch =>
            {
                gone?.Cancel();
                if (!batch.TryStart())
                    return default;
                _time.Advance(TimeSpan.FromMilliseconds(8));
                for (var i = 0; i < batch.Count; i++)
                    batch.SetResult(i, 10);
                return default;
            }, new() { Time = _time, RunsElsewhere = true }));
        async Task PutSeveral(int count, CancellationToken stop = default)
        {
            queue.Settings = new() { MaxBatchSize = count, WaitTimeout = TimeSpan.FromHours(1) };
            await Task.WhenAll(Enumerable.Range(0, count).Select(i => Put(queue, i, null, stop)).ToArray()).WaitAsync(Limit, CancellationToken.None);
        }

        for (var round = 0; round < 20; round++)
        {
            await PutSeveral(2);
            await PutSeveral(3);
            using (gone = new())
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => PutSeveral(1, gone.Token));
            gone = null;
        }

        queue.Settings = new() { MaxBatchSize = 10, WaitTimeout = TimeSpan.FromHours(1), Adaptive = true };
        var result = Put(queue, 1, null, default);
        Assert.Equal(1, queue.Length);
        _time.Advance(TimeSpan.FromMilliseconds(5));
        Assert.Equal(10, await result.WaitAsync(Limit));
    }

    [Fact]
    public async Task Observer_ReceivesSizeWaitAndDuration()
    {
        var queue = Add(new BatchQueue<int, int>(batch =>
        {
            batch.TryStart();
            _time.Advance(TimeSpan.FromMilliseconds(30));
            for (var i = 0; i < batch.Count; i++)
                batch.SetResult(i, 0);
            return ValueTask.CompletedTask;
        }, new() { Settings = new() { MaxBatchSize = 8, WaitTimeout = TimeSpan.FromMilliseconds(10) }, Time = _time, Observer = _observer, SizeOf = item => item }));

        var first = Put(queue, 1, null, default);
        _time.Advance(TimeSpan.FromMilliseconds(4));
        var results = AllAsync([first, Put(queue, 3, null, default)]);
        _time.Advance(TimeSpan.FromMilliseconds(6));
        await results;

        Assert.True(await _observer.Ended.WaitAsync(Limit));
        Assert.Equal((2, 0.5, TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(30)), _observer.Seen);
    }

    [Fact]
    public async Task Enqueue_ManyThreads_EachGetsItsOwnResultOnce()
    {
        var largest = 0;
        var running = 0;
        var atOnce = 0;
        var queue = Add(new BatchQueue<int, int>(async batch =>
        {
            // All callers may have canceled before the start.
            if (!batch.TryStart())
                return;
            InterlockedMax(ref atOnce, Interlocked.Increment(ref running));
            InterlockedMax(ref largest, batch.Count);
            if (batch.Items[0] % 3 == 0)
                await Task.Yield();
            for (var i = 0; i < batch.Count; i++)
                batch.SetResult(i, batch.Items[i] * 10);
            Interlocked.Decrement(ref running);
        }, new() { Settings = new() { MaxBatchSize = 7, WaitTimeout = TimeSpan.FromMilliseconds(1), MaxConcurrentBatches = 2 } }));

        await Task.WhenAll(Enumerable.Range(0, 8).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; i < 500; i++)
            {
                using var gone = new CancellationTokenSource();
                var value = (caller * 10_000) + i;
                var result = Put(queue, value, i % 5 == 0 ? "m" : null, gone.Token);
                if (i % 7 == 0)
                    await gone.CancelAsync();
                try
                {
                    Assert.Equal(value * 10, await result.WaitAsync(Limit));
                }
                catch (OperationCanceledException)
                {
                    Assert.Equal(0, i % 7);
                }
            }
        })));

        Assert.InRange(largest, 2, 7);
        Assert.InRange(atOnce, 1, 2);
        // A canceled caller receives its exception before the queue has removed its item.
        await Eventually.TrueAsync(() => queue.Length == 0, () => $"{queue.Length} items still wait");
    }

    [Fact]
    public async Task Run_OfShortBatches_IsOnTheCallersThread_OfOthersNever()
    {
        var (putting, takes) = (0, 0);
        ConcurrentQueue<bool> onCallers = [];
        var gate = new ConcurrencyLimiter(100);
        var queue = Add(new BatchQueue<int, int>(
            batch =>
            {
                onCallers.Enqueue(Volatile.Read(ref putting) == Environment.CurrentManagedThreadId);
                _time.Advance(TimeSpan.FromMilliseconds(takes));
                return GiveTenfold(batch);
            }, new() { Settings = new() { MaxBatchSize = 1, WaitTimeout = TimeSpan.FromHours(1) }, Time = _time, Gate = gate, Observer = _observer }));
        Task<int> Within(Func<Task<int>> put)
        {
            Volatile.Write(ref putting, Environment.CurrentManagedThreadId);
            var result = put();
            Volatile.Write(ref putting, 0);
            return result;
        }

        async Task<bool> PutAsync(int milliseconds)
        {
            takes = milliseconds;
            Assert.Equal(10, await Within(() => Put(queue, 1, null, default)).WaitAsync(Limit));
            Assert.True(await _observer.Ended.WaitAsync(Limit));
            return onCallers.Last();
        }

        // The first batch runs without an estimate, the next one with an estimate from the first.
        Assert.False(await PutAsync(0));
        Assert.True(await PutAsync(0));
        Assert.True(await PutAsync(1));
        Assert.False(await PutAsync(0));

        // The thread that closes the gate does not run queued items.
        queue.Settings = queue.Settings with { MaxBatchSize = 2 };
        var waiting = Put(queue, 1, null, default);
        _ = Within(() =>
        {
            gate.Close();
            return waiting;
        });
        Assert.Equal(10, await waiting.WaitAsync(Limit));
        Assert.False(onCallers.Last());
    }

    private static Task GoneAsync(WeakReference what) => Eventually.TrueAsync(() =>
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return !what.IsAlive;
    });

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static WeakReference MakeDisposed(ConcurrencyLimiter gate, TimeProvider time, CancellationToken aborted)
    {
        var queue = new BatchQueue<int, int>(_ => default, new() { Gate = gate, Time = time, Aborted = aborted, Settings = new() { WaitTimeout = TimeSpan.FromHours(1) } });
        _ = Put(queue, 1, null, default);
        queue.Dispose();
        return new(queue);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static (WeakReference Item, WeakReference Model) PutOne(BatchQueue<object, int> queue, string? model, CancellationToken caller)
    {
        var item = new object();
        var name = model is null ? null : new string(model.AsSpan());
        Assert.True(queue.EnqueueAsync(item, name, default, caller).AsTask().IsCompleted);
        return (new(item), new(name));
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = Volatile.Read(ref target); value > seen; seen = Volatile.Read(ref target))
            Interlocked.CompareExchange(ref target, value, seen);
    }

    private static Task<int> Put(BatchQueue<int, int> queue, int value, string? model, CancellationToken cancellationToken) =>
        queue.EnqueueAsync(value, model, default, cancellationToken).AsTask();

    // Eager: all calls start before any is awaited.
    private static Task<int[]> AllAsync(IEnumerable<Task<int>> results) => Task.WhenAll(results.ToArray()).WaitAsync(Limit);

    private async Task<int> EnqueueAndPassAsync(BatchQueue<int, int> queue, int value)
    {
        var result = Put(queue, value, null, default);
        _time.Advance(TimeSpan.FromMilliseconds(20));
        return await result.WaitAsync(Limit);
    }

    private Task RunningAsync(int count) => Eventually.TrueAsync(() => _ends.Count >= count, () => $"{_ends.Count} of {count} batches have started");

    private void Release(int index) => _ends.ElementAt(index).TrySetResult();

    private BatchQueue<int, int> Make(BatchQueueSettings settings, bool gated = false, Func<int, int>? sizeOf = null, ConcurrencyLimiter? gate = null, bool refusesLarger = true) =>
        Add(new BatchQueue<int, int>(async batch =>
        {
            if (!batch.TryStart())
                return;
            _batches.Enqueue((batch.Model is null ? "" : batch.Model + ": ") + string.Join(' ', batch.Items));
            if (gated)
            {
                var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                await using var stop = batch.CancellationToken.Register(() => end.TrySetCanceled(batch.CancellationToken));
                _ends.Enqueue(end);
                await end.Task;
            }

            for (var i = 0; i < batch.Count; i++)
                batch.SetResult(i, batch.Items[i] * 10);
        }, new() { Settings = settings, Time = _time, SizeOf = sizeOf, Gate = gate, RefusesLarger = refusesLarger, Observer = _observer, Aborted = _aborted.Token }));

    private ValueTask GiveTenfold(DispatchedBatch<int, int> batch)
    {
        batch.TryStart();
        _batches.Enqueue(string.Join(' ', batch.Items));
        for (var i = 0; i < batch.Count; i++)
            batch.SetResult(i, batch.Items[i] * 10);
        return ValueTask.CompletedTask;
    }

    private BatchQueue<int, int> Add(BatchQueue<int, int> queue)
    {
        _made.Add(queue);
        return queue;
    }

    /// <summary>A clock that runs actions when it is read.</summary>
    private sealed class ObservedTimeProvider : FakeTimeProvider
    {
        private Action? _next;
        private int _looks;

        public void AtLook(int count, Action action) => (_looks, _next) = (count, action);

        public override long GetTimestamp()
        {
            if (_next is { } action && --_looks == 0)
            {
                _next = null;
                action();
            }

            return base.GetTimestamp();
        }
    }

    private sealed class RecordingBatchObserver : IBatchQueueObserver
    {
        public (int, double, TimeSpan, TimeSpan)? Seen { get; private set; }

        /// <summary>Released once per batch, when the queue has processed its end.</summary>
        public SemaphoreSlim Ended { get; } = new(0);

        public void OnEnded(int items, double utilization, TimeSpan waited, TimeSpan ran)
        {
            Seen = (items, utilization, waited, ran);
            Ended.Release();
        }
    }
}
