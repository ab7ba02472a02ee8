using System.Runtime.CompilerServices;

namespace Serve.Runtime.Tests.Parallel;

public sealed class UnorderedMapTests : IAsyncLifetime
{
    private Cluster _ray = null!;

    public async Task InitializeAsync() => _ray = await Cluster.Init(new() { NumCpus = 4 });

    public async Task DisposeAsync() => await _ray.DisposeAsync();

    [Fact]
    public async Task MapUnordered_ManyItems_EachResultOnce()
    {
        var results = new List<int>();

        await foreach (var result in _ray.MapUnordered(Enumerable.Range(0, 100_000), i => i * 2))
            results.Add(result);

        Assert.Equal(Enumerable.Range(0, 100_000).Select(i => i * 2), results.Order());
    }

    [Fact]
    public async Task MapUnordered_SlowFirstItem_OthersComeFirst()
    {
        using var gate = new ManualResetEventSlim();
        var results = new List<int>();

        await foreach (var result in _ray.MapUnordered([0, 1, 2, 3], i => i > 0 || gate.Wait(TimeSpan.FromSeconds(20)) ? i : -1))
        {
            results.Add(result);
            if (results.Count == 3)
                gate.Set();
        }

        Assert.Equal(0, results[^1]);
        Assert.Equal([0, 1, 2, 3], results.Order());
    }

    [Fact]
    public async Task MapUnordered_InfiniteItems_BoundsReadAhead()
    {
        var read = 0;
        var results = 0;

        await foreach (var _ in _ray.MapUnordered(Endless(), i => i, options: new() { ChunkSize = 1 }))
        {
            if (++results == 100)
                break;
        }

        Assert.InRange(read, 100, 120);

        IEnumerable<int> Endless()
        {
            while (true)
                yield return read++;
        }
    }

    [Fact]
    public async Task MapUnordered_AsyncFunction_RunsManyConcurrently()
    {
        var arrived = 0;
        var all = new TaskCompletionSource();
        var sum = 0;

        await foreach (var result in _ray.MapUnordered(Enumerable.Range(1, 100), async i =>
        {
            if (Interlocked.Increment(ref arrived) == 64)
                all.SetResult();
            await all.Task.WaitAsync(TimeSpan.FromSeconds(20));
            return i;
        }))
        {
            sum += result;
        }

        Assert.Equal(5050, sum);
    }

    [Fact]
    public async Task MapUnordered_FunctionThrows_MessageNamesItem()
    {
        var thrown = await Assert.ThrowsAsync<UserCodeException>(async () =>
        {
            await foreach (var _ in _ray.MapUnordered(Enumerable.Range(0, 1000), i => i == 500 ? throw new FormatException("bad") : i))
            {
            }
        });

        Assert.Equal("Item 500: bad", thrown.Message);
    }

    [Fact]
    public async Task Map_AsyncItems_StreamsResultsInOrder()
    {
        var results = new List<int>();
        var seen = new TaskCompletionSource();

        await foreach (var result in _ray.Map(Items(), i => i * 10))
        {
            results.Add(result);
            seen.TrySetResult();
        }

        Assert.Equal(Enumerable.Range(0, 1000).Select(i => i * 10), results);

        // Continues only after the first result was delivered: items are not collected into large chunks first.
        async IAsyncEnumerable<int> Items([EnumeratorCancellation] CancellationToken stop = default)
        {
            yield return 0;
            await seen.Task.WaitAsync(TimeSpan.FromSeconds(20), stop);
            for (var i = 1; i < 1000; i++)
                yield return i;
        }
    }

    [Fact]
    public async Task Map_AsyncItemsCanceled_Throws()
    {
        using var stop = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in _ray.Map(Items(), i => i, cancellationToken: stop.Token))
                await stop.CancelAsync();
        });

        static async IAsyncEnumerable<int> Items([EnumeratorCancellation] CancellationToken token = default)
        {
            yield return 0;
            await Task.Delay(Timeout.Infinite, token);
        }
    }
}
