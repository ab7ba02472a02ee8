using Serve.Runtime.Testing;
using Serve.Runtime.TestWorker;

namespace Serve.Runtime.Tests.Actors;

public sealed class ActorStreamTests : IAsyncLifetime
{
    private Cluster _ray = null!;

    public async Task InitializeAsync() => _ray = await Cluster.Init(new() { NumCpus = 2, WorkerCommand = [LocalAgentFixture.Executable, "worker"] });

    public async Task DisposeAsync() => await _ray.DisposeAsync();

    [Theory]
    [InlineData(Isolation.None)]
    [InlineData(Isolation.Process)]
    public async Task Remote_Stream_BringsRefsToItsItems(Isolation isolation)
    {
        var actor = _ray.CountActor.Options(new() { Isolation = isolation }).Remote();
        var stream = actor.Up.Remote(100);
        var seen = new List<int>();
        await foreach (var item in stream)
            seen.Add(await item);
        Assert.Equal(Enumerable.Range(0, 100), seen);
        await stream.Completion;
    }

    [Theory]
    [InlineData(Isolation.None)]
    [InlineData(Isolation.Process)]
    public async Task Remote_StreamIsSentAgain_NoItemTwice(Isolation isolation)
    {
        await using var apart = await Cluster.Init(new() { NumCpus = 1, WorkerCommand = [LocalAgentFixture.Executable, "worker"] });
        var actor = apart.FlakyActor.Options(new() { Isolation = isolation }).Remote();
        var seen = new List<int>();

        await foreach (var item in actor.Up.Remote(20))
            seen.Add(await item);

        Assert.Equal(Enumerable.Range(0, 20), seen);
    }

    [Fact]
    public async Task Remote_StreamNobodyReads_WaitsForRoom()
    {
        var actor = _ray.CountActor.Remote();
        var stream = actor.Up.Options(new() { MaxBufferedItems = 3 }).Remote(1000);
        // Items 0, 1 and 2 lie unread: the next is not made before one is taken.
        await Eventually.TrueAsync(async () => await actor.Read.Remote() == 2);
        for (var i = 0; i < 100; i++)
            Assert.Equal(2, await actor.Read.Remote());
        var next = 0;
        await foreach (var item in stream)
            Assert.Equal(next++, await item);
        Assert.Equal(1000, next);
    }

    [Fact]
    public async Task Remote_StreamIsLeftEarly_IsCancelled()
    {
        var actor = _ray.CountActor.Remote();
        var stream = actor.Up.Remote(int.MaxValue);
        await foreach (var item in stream)
        {
            if (await item == 5)
                break;
        }

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await stream.Completion);
        await actor.Terminate().SoonAsync();
    }
}
