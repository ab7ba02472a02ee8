using System.Diagnostics;
using Serve.Runtime.Clusters;
using Serve.Runtime.TestWorker;
using Serve.Runtime.Testing;
using Serve.Runtime.Workers.Processes;

namespace Serve.Runtime.Workers.Tests.Connections;

/// <summary>What code in workers does with actors, streams, placement groups and queues: the same as in the program itself.</summary>
public sealed class ActorsInWorkersTests : IAsyncLifetime, IAsyncDisposable
{
    private readonly DriverCluster _ray = new(InWorkers, ProgramWorkerLauncher.StartWorkers);

    public static TheoryData<string, Func<Cluster, Task<string>>, string?> Functions { get; } = new()
    {
        { "calls in order", async ray => $"{await ray.ActorJobs.CallInOrder.Remote(2000, Isolation.None)} {await ray.ActorJobs.CallInOrder.Remote(2000, Isolation.Process)}", "True True" },
        { "calls in order with refs", async ray => await ray.ActorJobs.CallInOrderWithRefs.Remote(), "5 6" },
        { "handles as arguments", async ray => await ray.ActorJobs.PassOn.Remote(), "1 11 111 241 no name" },
        { "handles as results", async ray => await ray.ActorJobs.MakeInside.Remote(), "6 6" },
        { "names", async ray => await ray.ActorJobs.NameOnce.Remote(), null },
        { "refusals", async ray => await ray.ActorJobs.Refused.Remote(), null },
        { "another class", async ray => await ray.ActorJobs.OtherClass.Remote(), null },
        { "too many calls", async ray => await ray.ActorJobs.Full.Remote(), null },
        { "kill", async ray => await ray.ActorJobs.Kill.Remote(), null },
        { "restart", async ray => await ray.ActorJobs.KillAndRestart.Remote(), "1" },
        { "terminate", async ray => await ray.ActorJobs.Terminate.Remote(), null },
        { "deaths", async ray => await ray.ActorJobs.Dies.Remote(), null },
        { "async calls", async ray => await ray.ActorJobs.AsyncCalls.Remote(Isolation.None), string.Join(' ', Enumerable.Repeat("sent", 20)) },
        { "async calls in a worker", async ray => await ray.ActorJobs.AsyncCalls.Remote(Isolation.Process), string.Join(' ', Enumerable.Repeat("sent", 20)) },
        { "cancel", async ray => await ray.ActorJobs.CancelCall.Remote(Isolation.None), null },
        { "cancel in a worker", async ray => await ray.ActorJobs.CancelCall.Remote(Isolation.Process), null },
        { "stream", async ray => await ray.ActorJobs.Stream.Remote(), "4950 1000100" },
        { "stream that fails", async ray => await ray.ActorJobs.StreamThatFails.Remote(), "45 System.InvalidOperationException at the end" },
        { "stream left early", async ray => await ray.ActorJobs.StreamLeftEarly.Remote(), "10 True True" },
        { "stream unread", async ray => $"{await ray.ActorJobs.StreamUnread.Remote(1)} {await ray.ActorJobs.StreamUnread.Remote(16)}", "bounded bounded" },
        { "actor's stream", async ray => await ray.ActorJobs.ActorStream.Remote(Isolation.None), null },
        { "actor's stream in a worker", async ray => await ray.ActorJobs.ActorStream.Remote(Isolation.Process), null },
        { "placement group", async ray => await ray.ActorJobs.Group.Remote(), null },
        { "queue", async ray => await ray.ActorJobs.Queue.Remote(), null },
        { "queue that its maker forgets", async ray => $"{await ray.ActorJobs.QueueForgotten.Remote()}", "6" },
        { "calls of an actor", async ray => $"{await ray.ActorJobs.Relay.Remote(Isolation.None)} {await ray.ActorJobs.Relay.Remote(Isolation.Process)}", "5 6 4950 5 6 4950" },
        { "placement group as an argument", async ray => await ray.ActorJobs.PassGroup.Remote(), null },
        { "pool", async ray => await ray.ActorJobs.Pool.Remote(), "20 0 0" },
        { "tasks inside", async ray => $"{await ray.ActorJobs.NestedInCall.Remote()}", "7" },
        { "circle", async ray => await ray.ActorJobs.Stuck.Remote(Isolation.None), typeof(DeadlockException).FullName },
        { "large arguments", async ray => await ray.ActorJobs.LargeArgument.Remote(), "150000 120000" },
    };

    private static ClusterOptions InWorkers { get; } = new() { NumCpus = 2, Isolation = Isolation.Process, WorkerCommand = [LocalAgentFixture.Executable, "worker"], Observable = false };

    public Task InitializeAsync() => Task.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync() => await _ray.DisposeAsync();

    [Theory]
    [MemberData(nameof(Functions))]
    public async Task Task_InEitherIsolation_GivesTheSame(string name, Func<Cluster, Task<string>> function, string? known)
    {
        Assert.NotEmpty(name);
        await using var here = new DriverCluster(InWorkers with { Isolation = Isolation.None }, ProgramWorkerLauncher.StartWorkers);

        var expected = known ?? await function(here).SoonAsync();
        var actual = await function(_ray).SoonAsync();

        Assert.Equal(expected, actual);
    }

    [Fact]
    public async Task Actor_NamedInAWorker_IsFoundHereAndTheReverse()
    {
        var made = await _ray.ActorJobs.Make.Remote(40).AsTask().SoonAsync();
        Assert.Equal(41, await made.Increment.Remote(1).AsTask().SoonAsync());

        await _ray.ActorJobs.Keep.Remote().AsTask().SoonAsync();
        Assert.Equal(2, await _ray.GetActor<CountActor>("kept").Increment.Remote(2).AsTask().SoonAsync());
        var named = _ray.CountActor.Options(new() { Name = "here" }).Remote(7);

        Assert.Equal(8, await _ray.ActorJobs.Named.Remote("here").AsTask().SoonAsync());
        Assert.Equal(9, await _ray.ActorJobs.Use.Remote(named, 1).AsTask().SoonAsync());
    }

    [Fact]
    public async Task Actor_WhoseOnlyHandleIsInAWorker_EndsWithTheWorker()
    {
        var kept = (await _ray.ActorJobs.Keep.Remote().AsTask().SoonAsync()).Split(' ');
        Assert.Equal(ActorPhase.Alive, Assert.Single(_ray.ListActors()).State);

        using (var process = Process.GetProcessById(int.Parse(kept[0], null)))
            process.Kill();

        await Eventually.TrueAsync(() => _ray.ListActors().Single().State == ActorPhase.Dead);
        Assert.Contains("last handle", _ray.ListActors().Single().DeathCause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Actor_WhoseOnlyHandleAWorkerForgets_Ends()
    {
        await _ray.ActorJobs.Keep.Remote().AsTask().SoonAsync();
        await _ray.ActorJobs.Late.Remote(1).AsTask().SoonAsync();
        Assert.Equal(ActorPhase.Alive, Assert.Single(_ray.ListActors()).State);

        await Eventually.TrueAsync(async () =>
        {
            await _ray.ActorJobs.Forget.Remote();
            return _ray.ListActors().Single().State == ActorPhase.Dead;
        });
    }

    [Fact]
    public async Task Handle_GivenToAWorker_KeepsTheActor()
    {
        await GiveAwayAsync();
        for (var i = 0; i < 5; i++)
            Collect();

        Assert.Equal(ActorPhase.Alive, Assert.Single(_ray.ListActors()).State);
        await Eventually.TrueAsync(async () =>
        {
            await _ray.ActorJobs.Forget.Remote();
            Collect();
            return _ray.ListActors().Single().State == ActorPhase.Dead;
        });
    }

    [Fact]
    public async Task Stream_ReadInAWorkerWithOneCpu_LendsIt()
    {
        await using var narrow = new DriverCluster(InWorkers with { NumCpus = 1 }, ProgramWorkerLauncher.StartWorkers);

        Assert.Equal("4950 1000100", await narrow.ActorJobs.Stream.Remote().AsTask().SoonAsync());
    }

    [Fact]
    public async Task Stream_WhoseReaderDies_IsCancelled()
    {
        var made = _ray.CountActor.Remote(0);
        var pid = _ray.ActorJobs.ReadAndDie.Remote(made);

        await Assert.ThrowsAsync<WorkerDiedException>(() => pid.AsTask().SoonAsync());

        await Eventually.TrueAsync(async () => await made.Read.Remote() >= 1_000_000);
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    private async Task GiveAwayAsync()
    {
        var actor = _ray.CountActor.Remote(0);
        await actor.Created;
        await _ray.ActorJobs.KeepGiven.Remote(actor).AsTask().SoonAsync();
    }
}
