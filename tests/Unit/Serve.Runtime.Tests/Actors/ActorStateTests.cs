using Serve.Runtime.TestWorker;

namespace Serve.Runtime.Tests.Actors;

public sealed class ActorStateTests : IAsyncLifetime
{
    private Cluster _ray = null!;

    public async Task InitializeAsync() => _ray = await Cluster.Init(new() { NumCpus = 2 });

    public async Task DisposeAsync() => await _ray.DisposeAsync();

    [Fact]
    public async Task ListTasks_CallsOfActors_AreAmongThem()
    {
        var actor = _ray.CountActor.Remote();
        var gate = new TestCallGate();
        var running = actor.Block.Remote(gate);
        var waiting = actor.Increment.Options(new() { Name = "later" }).Remote(1);
        await gate.Entered;
        Assert.Equal(TaskPhase.Running, Of("CountActor.Block").State);
        Assert.Equal(TaskPhase.PendingScheduling, Of("later").State);
        Assert.Equal(actor.Id, Of("later").ActorId);
        Assert.Equal(2, Assert.Single(_ray.ListActors()).PendingCalls);
        gate.Open();
        await waiting;
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await actor.Throw.Remote("no"));
        await Eventually.TrueAsync(() => _ray.ListTasks().Any(task => task.Name == "CountActor.Throw" && task.State == TaskPhase.Failed));
        var ended = Of("later");
        Assert.Equal((TaskPhase.Finished, "CountActor.Increment"), (ended.State, ended.Function));
        Assert.True(ended.EndTime >= ended.StartTime);
        Assert.Equal(typeof(InvalidOperationException).FullName, Of("CountActor.Throw").ErrorType);

        TaskState Of(string name) => Assert.Single(_ray.ListTasks(), task => task.Name == name);
    }

    [Fact]
    public async Task ListTasks_CallWhoseResultWasFreedWhileItRan_HasFinishedAllTheSame()
    {
        var actor = _ray.CountActor.Remote();
        var gate = new TestCallGate();
        var freed = actor.Block.Remote(gate);
        await gate.Entered;
        _ray.Free(freed);
        Assert.Null(Assert.Single(_ray.ListTasks()).ErrorType);
        gate.Open();
        await Assert.ThrowsAsync<ObjectLostException>(async () => await freed);

        await Eventually.TrueAsync(() => _ray.ListTasks() is [{ State: TaskPhase.Finished, ErrorType: null }]);
    }

    [Fact]
    public void ListActors_ManyHaveDied_RemembersTheLastThousand()
    {
        var alive = _ray.CountActor.Remote();
        for (var i = 0; i < 1001; i++)
            _ray.CountActor.Options(new() { Name = $"actor {i}" }).Remote().Kill();

        var actors = _ray.ListActors();

        Assert.Equal(1001, actors.Count);
        Assert.Equal(("actor 1", "actor 1000"), (actors[0].Name, actors[999].Name));
        Assert.Equal(alive.Id, actors[1000].ActorId);
    }

    [Fact]
    public async Task GetResult_OfACallOfItself_IsADeadlockThatIsTold()
    {
        var actor = _ray.CountActor.Remote();
        var thrown = await Assert.ThrowsAsync<DeadlockException>(async () => await actor.CallItself.Remote(actor).AsTask().SoonAsync());
        Assert.Contains("CountActor.Increment", thrown.Message, StringComparison.Ordinal);
        Assert.Equal(0, await actor.Read.Remote());
    }
}
