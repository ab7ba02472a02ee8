namespace Serve.Runtime.Tests.Parallel;

public sealed class ActorQueueTests : IAsyncLifetime
{
    private Cluster _ray = null!;

    public async Task InitializeAsync() => _ray = await Cluster.Init(new() { NumCpus = 4 });

    public async Task DisposeAsync() => await _ray.DisposeAsync();

    [Fact]
    public async Task Get_AfterPuts_IsFirstInFirstOut()
    {
        var queue = _ray.Queue<string>();
        await queue.Put("a");
        await queue.Put("b");

        Assert.Equal(2, await queue.Size());
        Assert.Equal("a", await queue.Get());
        Assert.Equal("b", await queue.GetNoWait());
        Assert.True(await queue.IsEmpty());
    }

    [Fact]
    public async Task Get_Empty_WaitsForPut()
    {
        var queue = _ray.Queue<int>();

        var getting = queue.Get();
        await queue.Put(7);

        Assert.Equal(7, await getting);
    }

    [Fact]
    public async Task Get_EmptyUntilTimeout_Throws()
    {
        var queue = _ray.Queue<int>(name: "jobs");

        var thrown = await Assert.ThrowsAsync<QueueEmptyException>(() => queue.Get(TimeSpan.FromMilliseconds(5)));
        Assert.Contains("queue jobs", thrown.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<QueueEmptyException>(queue.GetNoWait);
        await Assert.ThrowsAsync<QueueEmptyException>(() => queue.GetNoWaitBatch(1));
    }

    [Fact]
    public async Task Put_Full_WaitsThenThrows()
    {
        var queue = _ray.Queue<int>(maxSize: 1);
        await queue.Put(1);

        Assert.True(await queue.IsFull());
        await Assert.ThrowsAsync<QueueFullException>(() => queue.Put(2, TimeSpan.FromMilliseconds(5)));
        await Assert.ThrowsAsync<QueueFullException>(() => queue.PutNoWait(2));
        await Assert.ThrowsAsync<QueueFullException>(() => queue.PutNoWaitBatch([2]));
        var putting = queue.Put(3);
        Assert.Equal(1, await queue.Get());
        await putting;
        Assert.Equal(3, await queue.Get());
    }

    [Fact]
    public async Task Batches_KeepOrder()
    {
        var queue = _ray.Queue<int>();
        await queue.PutNoWaitBatch([1, 2, 3]);

        Assert.Equal(new[] { 1, 2 }, await queue.GetNoWaitBatch(2));
        Assert.Equal(3, await queue.Get());
    }

    [Fact]
    public async Task Get_Canceled_RemovesNothing()
    {
        var queue = _ray.Queue<int>();
        using var stop = new CancellationTokenSource();

        var getting = queue.Get(cancellationToken: stop.Token);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => getting);
        await queue.Put(7);
        Assert.Equal(7, await queue.Get());
    }

    [Fact]
    public async Task Get_ThousandsWait_PutIsAdmitted()
    {
        var queue = _ray.Queue<int>();

        var getting = Enumerable.Range(0, 3000).Select(_ => queue.Get()).ToArray();
        for (var i = 0; i < getting.Length; i++)
            await queue.Put(i);

        Assert.Equal(Enumerable.Range(0, 3000), (await Task.WhenAll(getting)).Order());
    }

    [Fact]
    public async Task Shutdown_PendingCalls_Fail()
    {
        var queue = _ray.Queue<int>();
        var getting = queue.Get();

        queue.Shutdown();

        await Assert.ThrowsAsync<ActorDiedException>(() => getting);
    }
}
