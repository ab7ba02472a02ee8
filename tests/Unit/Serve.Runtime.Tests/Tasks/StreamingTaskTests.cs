
namespace Serve.Runtime.Tests.Tasks;

public sealed class StreamingTaskTests
{
    [Fact]
    public async Task Stream_ReadToEnd_ItemsInOrderThenCompletion()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        var stream = ray.Recursion.Count.Remote(100, 0);
        var read = new List<int>();
        await foreach (var item in stream)
            read.Add(await item);

        Assert.Equal(Enumerable.Range(0, 100), read);
        Assert.True(stream.Completion.IsReady);
        Assert.False(stream.Completion.IsFaulted);
    }

    [Fact]
    public async Task Stream_Unread_WaitsAtCapacityWithoutCpu()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        var made = 0;
        var stream = ray.Recursion.Count.Options(new() { MaxBufferedItems = 5 }).Remote(100, Recursion.Hook(_ => Interlocked.Increment(ref made)));
        await Eventually.TrueAsync(() => made == 5 && ray.AvailableResources["CPU"] == 1);
        Assert.Equal(1, await ray.Run(() => 1));
        Assert.Equal(5, made);

        var read = 0;
        await foreach (var item in stream)
            Assert.Equal(read++, await item);
        Assert.Equal(100, read);
    }

    [Fact]
    public async Task Stream_ReaderLeavesEarly_IsCanceled()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        var made = 0;
        var stream = ray.Recursion.Count.Remote(int.MaxValue, Recursion.Hook(_ => Interlocked.Increment(ref made)));
        await foreach (var item in stream)
        {
            if (await item == 3)
                break;
        }

        Assert.True(stream.Completion.IsFaulted);
        await Eventually.TrueAsync(() => ray.ListTasks().Single().State == TaskPhase.Cancelled);
        Assert.InRange(made, 4, 25);
    }

    [Fact]
    public async Task Stream_ThrowsMidway_EarlierItemsThenException()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        var read = new List<int>();
        var thrown = await Assert.ThrowsAsync<FormatException>(async () =>
        {
            await foreach (var item in ray.Recursion.Count.Remote(10, Recursion.Hook(i => i == 4 ? throw new FormatException("the fifth") : i)))
                read.Add(await item);
        });

        Assert.Equal("the fifth", thrown.Message);
        Assert.Equal([0, 1, 2, 3], read);
    }

    [Fact]
    public async Task Stream_ReadInsideTaskOnOneCpu_Completes()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        var sum = await ray.Run(async () =>
        {
            var total = 0;
            await foreach (var item in Cluster.Current.Recursion.Count.Remote(200, 0))
                total += await item;
            return total;
        });

        Assert.Equal(19_900, sum);
    }

    [Fact]
    public async Task Stream_Retried_DeliversEachItemOnce()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        var failed = false;
        var read = new List<int>();
        var stream = ray.Recursion.Count.Options(new() { RetryOn = static thrown => thrown is IOException }).Remote(10, Recursion.Hook(i =>
        {
            if (i != 6 || failed)
                return i;
            failed = true;
            throw new IOException("once");
        }));
        await foreach (var item in stream)
            read.Add(await item);

        Assert.True(failed);
        Assert.Equal(Enumerable.Range(0, 10), read);
    }
}
