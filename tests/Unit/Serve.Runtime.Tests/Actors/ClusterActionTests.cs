using System.Text.Json.Nodes;
using Serve.Runtime.Clusters;
using Serve.Runtime.State;
using Serve.Runtime.TestWorker;

namespace Serve.Runtime.Tests.Actors;

/// <summary>Actions on tasks and actors by their ids, as lists show them.</summary>
public sealed class ClusterActionTests : IAsyncLifetime
{
    private DriverCluster _ray = null!;

    public async Task InitializeAsync() => _ray = (DriverCluster)await Cluster.Init(new() { NumCpus = 2 });

    public async Task DisposeAsync() => await _ray.DisposeAsync();

    [Fact]
    public async Task TryCancelTask_RunningTask_CancelsIt()
    {
        using var begun = new ManualResetEventSlim();
        var waiting = _ray.Run(async stop =>
        {
            begun.Set();
            await Task.Delay(Timeout.Infinite, stop);
        });
        Assert.True(begun.Wait(TimeSpan.FromSeconds(30)));

        var isCanceled = _ray.TryCancelTask(Assert.Single(_ray.ListTasks()).TaskId, force: false);

        Assert.True(isCanceled);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.False(_ray.TryCancelTask("0000000000000000", force: false));
    }

    [Fact]
    public async Task TryCancelTask_WaitingCall_CancelsIt()
    {
        var actor = _ray.CountActor.Remote();
        var gate = new TestCallGate();
        var running = actor.Block.Remote(gate);
        var waiting = actor.Increment.Options(new() { Name = "later" }).Remote(1);
        await gate.Entered;

        var isCanceled = _ray.TryCancelTask(_ray.ListTasks().Single(task => task.Name == "later").TaskId, force: false);
        gate.Open();

        Assert.True(isCanceled);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task TryKillActor_LiveActor_IsDead()
    {
        var actor = _ray.CountActor.Remote();
        await actor.Increment.Remote(1);

        Assert.True(_ray.TryKillActor(actor.Id, noRestart: true));

        await Assert.ThrowsAsync<ActorDiedException>(async () => await actor.Increment.Remote(1));
        await Eventually.TrueAsync(() => _ray.ListActors().Single().State == ActorPhase.Dead);
        Assert.False(_ray.TryKillActor(actor.Id, noRestart: true));
        Assert.False(_ray.TryKillActor("unknown", noRestart: true));
    }

    [Fact]
    public async Task WriteTimeline_Limit_ContainsTheNewestTasks()
    {
        for (var number = 0; number < 5; number++)
            await _ray.Run(() => 1);
        await Eventually.TrueAsync(() => _ray.ListTasks().Count(task => task.State == TaskPhase.Finished) == 5);
        using var output = new MemoryStream();

        await ClusterStateApi.WriteTimelineAsync(_ray, 2, output, TimeProvider.System.GetUtcNow(), CancellationToken.None);

        var ids = JsonNode.Parse(output.ToArray())!["traceEvents"]!.AsArray().Where(item => (string?)item!["ph"] == "X").Select(item => (string?)item!["args"]!["task_id"]);
        Assert.Equal(_ray.ListTasks().TakeLast(2).Select(task => task.TaskId), ids);
    }
}
