using Serve.Runtime.Clusters;
using Serve.Runtime.TestWorker;
using Serve.Runtime.Testing;
using Serve.Runtime.Workers.Processes;

namespace Serve.Runtime.Tests.Actors;

public sealed class ActorResourceTests : IAsyncLifetime
{
    private Cluster _ray = null!;

    public async Task InitializeAsync() => _ray = await Cluster.Init(new() { NumCpus = 2 });

    public async Task DisposeAsync() => await _ray.DisposeAsync();

    [Fact]
    public void Remote_MoreThanThereIs_ThrowsAtOnce() =>
        Assert.True(Assert.Throws<InsufficientResourcesException>(() => _ray.CountActor.Options(new() { NumCpus = 3 }).Remote()).IsPermanent);

    [Fact]
    public async Task Remote_NotFreeNow_IsCreatedWhenItIs()
    {
        var first = _ray.CountActor.Options(new() { NumCpus = 2 }).Remote();
        await first.Created;
        Assert.Equal(0, _ray.AvailableResources["CPU"]);
        var second = _ray.CountActor.Options(new() { NumCpus = 1 }).Remote();
        var read = second.Read.Remote();
        Assert.Equal(ActorPhase.PendingCreation, _ray.ListActors()[1].State);
        Assert.False(read.IsReady);
        first.Kill();
        Assert.Equal(0, await read);
        Assert.Equal(1, _ray.AvailableResources["CPU"]);
        await second.Terminate();
        Assert.Equal(2, _ray.AvailableResources["CPU"]);
    }

    [Fact]
    public async Task Remote_KilledWhileItWaits_HoldsNothing()
    {
        var first = _ray.CountActor.Options(new() { NumCpus = 2 }).Remote();
        await first.Created;
        var second = _ray.CountActor.Options(new() { NumCpus = 2 }).Remote();
        second.Kill();
        await Assert.ThrowsAsync<ActorDiedException>(async () => await second.Read.Remote());
        first.Kill();
        await Eventually.TrueAsync(() => _ray.AvailableResources["CPU"] == 2);
    }

    [Theory]
    [InlineData(Isolation.None)]
    [InlineData(Isolation.Process)]
    public async Task KillToRestart_WhileItIsMade_OneLivesAndHoldsOnce(Isolation isolation)
    {
        await using var processes = Make();
        var queue = processes.Queue<int>();
        var actor = processes.Made.Options(new() { Isolation = isolation, NumCpus = 1, MaxRestarts = 5 }).Remote(processes.DeadlockScenarios.Later.Options(new() { NumCpus = 0, Isolation = Isolation.None }).Remote(queue));
        actor.Kill(noRestart: false);
        actor.Kill(noRestart: false);
        await queue.Put(3);

        Assert.Equal(3, await actor.From.Remote().AsTask().SoonAsync());
        await HoldsOnceAndLeavesNothingAsync(processes, actor, isolation);
    }

    [Theory]
    [InlineData(Isolation.None)]
    [InlineData(Isolation.Process)]
    public async Task KillToRestart_WhileItIsMadeAgain_OneLivesAndHoldsOnce(Isolation isolation)
    {
        await using var processes = Make();
        var actor = processes.Made.Options(new() { Isolation = isolation, NumCpus = 1, MaxRestarts = 5 }).Remote(3);
        Assert.Equal(3, await actor.From.Remote().AsTask().SoonAsync());
        for (var i = 0; i < 3; i++)
            actor.Kill(noRestart: false);

        Assert.Equal(3, await actor.From.Remote().AsTask().SoonAsync());
        await HoldsOnceAndLeavesNothingAsync(processes, actor, isolation);
    }

    [Fact]
    public async Task KillToRestart_WhileItIsMadeForTheLastTime_Ends()
    {
        var actor = _ray.Made.Options(new() { MaxRestarts = 0 }).Remote(_ray.DeadlockScenarios.Later.Options(new() { NumCpus = 0 }).Remote(_ray.Queue<int>()));

        actor.Kill(noRestart: false);

        await Assert.ThrowsAsync<ActorDiedException>(async () => await actor.From.Remote().AsTask().SoonAsync());
    }

    private static DriverCluster Make() => new(new() { NumCpus = 4, WorkerCommand = [LocalAgentFixture.Executable, "worker"], Observable = false }, ProgramWorkerLauncher.StartWorkers);

    private static async Task HoldsOnceAndLeavesNothingAsync(DriverCluster cluster, ActorHandle<Made> actor, Isolation isolation)
    {
        await cluster.Actors.Directory.Find(new(actor.Id))!.Started.SoonAsync();
        Assert.Equal(3, cluster.AvailableResources["CPU"]);
        if (isolation == Isolation.Process)
            await Eventually.TrueAsync(() => cluster.ListWorkers().Count == 1);

        actor.Kill();
        await Eventually.TrueAsync(() => cluster.AvailableResources["CPU"] == 4);
    }
}
