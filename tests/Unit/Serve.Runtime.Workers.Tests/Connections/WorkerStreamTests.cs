using Serve.Runtime.Clusters;
using Serve.Runtime.TestWorker;
using Serve.Runtime.Testing;
using Serve.Runtime.Workers.Processes;

namespace Serve.Runtime.Workers.Tests.Connections;

/// <summary>Streams whose code runs in a worker and whose reader is here.</summary>
public sealed class WorkerStreamTests : IAsyncLifetime, IAsyncDisposable
{
    private const int Buffer = 5;

    /// <summary>Amount that the stream adds to its count at its end.</summary>
    private const int Ended = 1_000_000;

    private readonly DriverCluster _ray = new(new() { NumCpus = 2, WorkerCommand = [LocalAgentFixture.Executable, "worker"], Observable = false }, ProgramWorkerLauncher.StartWorkers);

    public Task InitializeAsync() => Task.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public ValueTask DisposeAsync() => _ray.DisposeAsync();

    [Fact]
    public async Task Read_Slowly_TheCodeIsAheadByNoMoreThanItMayAndGoesOn()
    {
        const int All = 40;
        var made = _ray.CountActor.Remote(0);
        var read = 0;
        await foreach (var item in Count(All, made))
        {
            Assert.Equal(read++, await item);
            var least = Math.Min(All, read + Buffer);
            await Eventually.TrueAsync(async () => await made.Read.Remote() % Ended >= least);
            for (var looks = 0; looks < 20; looks++)
                Assert.InRange(await made.Read.Remote() % Ended, least, least);
        }

        Assert.Equal(All, read);
        await Eventually.TrueAsync(async () => await made.Read.Remote() == Ended + All);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(16)]
    public async Task Unread_Stream_MakesAsManyItemsAsMayBeBufferedAndReleasesItsCpu(int buffered)
    {
        var made = Enumerable.Range(0, 2).Select(_ => _ray.CountActor.Remote(0)).ToArray();

        // One for each CPU of the cluster; nobody reads them.
        var streams = made.Select(each => Count(int.MaxValue, each, buffered)).ToArray();

        await Eventually.TrueAsync(async () => await made[0].Read.Remote() >= buffered && await made[1].Read.Remote() >= buffered);
        Assert.Equal(3, await _ray.Jobs.Add.Options(new() { Isolation = Isolation.Process }).Remote(1, 2).AsTask().SoonAsync());
        await Eventually.TrueAsync(() => _ray.AvailableResources["CPU"] == 2);
        Assert.All(made, each => Assert.Equal(buffered, each.Read.Remote().AsTask().Result));
        GC.KeepAlive(streams);
    }

    [Theory]
    [InlineData(Isolation.None)]
    [InlineData(Isolation.Process)]
    public async Task Unread_OneBufferedItem_ReaderInAWorker_MakesOneItem(Isolation isolation)
    {
        var made = _ray.CountActor.Remote(0);

        var makes = _ray.ActorJobs.StartUnreadStream.Options(new() { Isolation = Isolation.Process }).Remote(made, isolation);

        Assert.Equal(1, await makes.AsTask().SoonAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Read_LeftOrCancelledEarly_TheCodeEnds(bool isCancelled)
    {
        var made = _ray.CountActor.Remote(0);
        using var stop = new CancellationTokenSource();
        var stream = Count(int.MaxValue, made);
        var read = 0;
        try
        {
            await foreach (var item in stream.WithCancellation(stop.Token))
            {
                await item;
                Assert.True(++read <= 3, "Read on after it was cancelled.");
                if (read < 3)
                    continue;
                if (!isCancelled)
                    break;

                await Eventually.TrueAsync(async () => await made.Read.Remote() >= read + Buffer);
                await stop.CancelAsync();
            }
        }
        catch (OperationCanceledException) when (isCancelled)
        {
        }

        await Eventually.TrueAsync(async () => await made.Read.Remote() >= Ended);
        Assert.Equal(3, read);
        Assert.True(stream.Completion.IsFaulted);
    }

    private ObjectRefStream<int> Count(int to, ActorHandle<CountActor> made, int buffered = Buffer) =>
        _ray.ActorJobs.Count.Options(new() { Isolation = Isolation.Process, NumCpus = 1, MaxBufferedItems = buffered }).Remote(to, made);
}
