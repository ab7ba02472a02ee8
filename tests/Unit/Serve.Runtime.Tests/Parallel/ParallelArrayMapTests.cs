namespace Serve.Runtime.Tests.Parallel;

public sealed class ParallelArrayMapTests : IAsyncLifetime
{
    private Cluster _ray = null!;

    public async Task InitializeAsync() => _ray = await Cluster.Init(new() { NumCpus = 4 });

    public async Task DisposeAsync() => await _ray.DisposeAsync();

    [Fact]
    public async Task Map_ManyItems_ResultsAreInOrder()
    {
        var items = Enumerable.Range(0, 100_000).Select(i => (double)i).ToArray();

        var results = await _ray.Map(items, x => x * 10);

        Assert.Equal(items.Select(x => x * 10), results);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(1000)]
    public async Task Map_AnyCount_EachItemOnce(int count)
    {
        var calls = new int[count];

        var results = await _ray.Map(Enumerable.Range(0, count), i => Interlocked.Increment(ref calls[i]) + i);

        Assert.Equal(Enumerable.Range(1, count), results);
        Assert.All(calls, times => Assert.Equal(1, times));
    }

    [Fact]
    public async Task Map_ListAndSequence_SameAsArray()
    {
        int[] expected = [2, 4, 6];

        Assert.Equal(expected, await _ray.Map(new List<int> { 1, 2, 3 }, i => i * 2));
        Assert.Equal(expected, await _ray.Map(Sequence(), i => i * 2));
        Assert.Equal(expected, await _ray.Map(new HashSet<int> { 1, 2, 3 }, i => i * 2));

        static IEnumerable<int> Sequence()
        {
            yield return 1;
            yield return 2;
            yield return 3;
        }
    }

    [Fact]
    public async Task Map_SlowItems_RunConcurrently()
    {
        using var all = new CountdownEvent(4);

        var results = await _ray.Map(Enumerable.Range(0, 4), i =>
        {
            all.Signal();
            return all.Wait(TimeSpan.FromSeconds(20));
        });

        Assert.All(results, Assert.True);
    }

    [Fact]
    public async Task Map_MoreItemsThanCpus_RunsAtMostCpusConcurrently()
    {
        var running = 0;
        var most = 0;
        using var slow = new ManualResetEventSlim();

        await _ray.Map(Enumerable.Range(0, 40), i =>
        {
            var now = Interlocked.Increment(ref running);
            InterlockedMax(ref most, now);
            slow.Wait(5);
            Interlocked.Decrement(ref running);
            return i;
        });

        Assert.InRange(most, 2, 4);
    }

    [Fact]
    public async Task Map_MaxConcurrencyOne_RunsSequentially()
    {
        var order = new List<int>();

        await _ray.Map(Enumerable.Range(0, 1000), i =>
        {
            order.Add(i);
            return i;
        }, options: new() { MaxConcurrency = 1 });

        Assert.Equal(Enumerable.Range(0, 1000), order);
    }

    [Fact]
    public async Task Map_NotAwaited_DoesNotBlockCaller()
    {
        using var gate = new ManualResetEventSlim();

        var map = _ray.Map([1, 2, 3], i => gate.Wait(TimeSpan.FromSeconds(20)) ? i : -1);
        gate.Set();

        Assert.Equal(new[] { 1, 2, 3 }, await map);
    }

    [Fact]
    public async Task Map_FunctionThrows_MessageNamesFirstSuchItem()
    {
        var thrown = await Assert.ThrowsAsync<UserCodeException>(() => _ray.Map(
            Enumerable.Range(0, 10_000), i => i % 3000 == 2999 ? throw new FormatException($"bad {i}") : i));

        Assert.Equal("Item 2999: bad 2999", thrown.Message);
        Assert.Equal(typeof(FormatException).FullName, thrown.ExceptionType);
        Assert.IsType<FormatException>(thrown.InnerException);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(7)]
    public async Task Map_FunctionThrowsAnywhereInChunk_MessageNamesItem(int count)
    {
        for (var bad = 0; bad < count; bad++)
        {
            var thrown = await Assert.ThrowsAsync<UserCodeException>(() => _ray.Map(
                Enumerable.Range(0, count), i => i >= bad ? throw new FormatException($"bad {i}") : i, options: new() { ChunkSize = count }));

            Assert.Equal($"Item {bad}: bad {bad}", thrown.Message);
        }
    }

    [Fact]
    public async Task Map_FunctionThrows_SkipsRemainingItems()
    {
        var calls = 0;

        await Assert.ThrowsAsync<UserCodeException>(() => _ray.Map(Enumerable.Range(0, 1_000_000), i =>
        {
            Interlocked.Increment(ref calls);
            return i == 10 ? throw new FormatException() : i;
        }, options: new() { ChunkSize = 10 }));

        Assert.InRange(calls, 11, 500_000);
    }

    [Fact]
    public async Task Map_Canceled_CompletesAfterRunningItems()
    {
        using var stop = new CancellationTokenSource();
        var running = 0;
        var started = new TaskCompletionSource();
        using var gate = new ManualResetEventSlim();

        var map = _ray.Map(Enumerable.Range(0, 1_000_000), i =>
        {
            Interlocked.Increment(ref running);
            started.TrySetResult();
            gate.Wait(TimeSpan.FromSeconds(20));
            Interlocked.Decrement(ref running);
            return i;
        }, cancellationToken: stop.Token);
        await started.Task;
        await stop.CancelAsync();
        Assert.False(map.IsCompleted);
        gate.Set();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => map);
        Assert.Equal(0, running);
    }

    [Fact]
    public async Task Map_CanceledBefore_RunsNothing()
    {
        var calls = 0;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _ray.Map([1, 2, 3], _ => Interlocked.Increment(ref calls), cancellationToken: new(true)));

        Assert.Equal(0, calls);
    }

    [Fact]
    public async Task Map_AsyncFunction_RunsManyConcurrently()
    {
        var arrived = 0;
        var all = new TaskCompletionSource();

        var results = await _ray.Map(Enumerable.Range(0, 200), async i =>
        {
            if (Interlocked.Increment(ref arrived) == 64)
                all.SetResult();
            await all.Task.WaitAsync(TimeSpan.FromSeconds(20));
            return i * 2;
        });

        Assert.Equal(Enumerable.Range(0, 200).Select(i => i * 2), results);
    }

    [Fact]
    public async Task Map_AsyncFunctionThrows_MessageNamesItem()
    {
        var thrown = await Assert.ThrowsAsync<UserCodeException>(() => _ray.Map(Enumerable.Range(0, 100), async i =>
        {
            await Task.Yield();
            return i == 7 ? throw new FormatException("bad") : i;
        }));

        Assert.Equal("Item 7: bad", thrown.Message);
    }

    [Fact]
    public async Task Map_AsyncFunctionCanceled_CancelsToken()
    {
        using var stop = new CancellationTokenSource();
        var started = new TaskCompletionSource();

        var map = _ray.Map(Enumerable.Range(0, 100), async (i, token) =>
        {
            started.TrySetResult();
            await Task.Delay(Timeout.Infinite, token);
            return i;
        }, cancellationToken: stop.Token);
        await started.Task;
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => map);
    }

    [Fact]
    public async Task Map_DisposedCluster_Throws()
    {
        var other = await Cluster.Init();
        await other.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => other.Map([1], i => i));
    }

    private static void InterlockedMax(ref int most, int now)
    {
        for (var seen = Volatile.Read(ref most); now > seen; seen = Volatile.Read(ref most))
            Interlocked.CompareExchange(ref most, now, seen);
    }
}
