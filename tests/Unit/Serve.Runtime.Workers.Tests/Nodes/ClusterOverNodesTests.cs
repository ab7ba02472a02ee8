using Serve.Runtime.Testing;
using Serve.Runtime.TestWorker;

namespace Serve.Runtime.Workers.Tests.Nodes;

/// <summary>Tasks, actors and placement groups of one driver over three nodes with one CPU each and real workers.</summary>
public sealed class ClusterOverNodesTests : IAsyncLifetime, IAsyncDisposable
{
    private readonly LocalNodeCluster _nodes = new([LocalAgentFixture.Executable, "worker"], static (services, _) => TestWorkerServices.Add(services));
    private readonly TemporaryTestFolder _folder = new();
    private Cluster _ray = null!;

    public async Task InitializeAsync()
    {
        foreach (var name in (string[])["a", "b", "c"])
            _nodes.Join(name);
        _ray = _nodes["a"].Cluster;
        await Eventually.TrueAsync(() => _ray.Resources["CPU"] == 3);
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        await _nodes.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Tasks_MoreThanTheDriversNodeCanRun_RunOnAllNodes()
    {
        var tasks = await StartTasksAsync(3);

        Assert.Equal(["a", "b", "c"], _ray.ListTasks().Select(task => NodeOf(task.WorkerId)).Order(StringComparer.Ordinal));
        Assert.Equal(0, _ray.AvailableResources["CPU"]);
        foreach (var task in tasks)
            _ray.Cancel(task);
        await Eventually.TrueAsync(() => _ray.AvailableResources["CPU"] == 3);
    }

    [Fact]
    public async Task Grants_NoLongerUsed_AreReturnedToTheirNode()
    {
        var tasks = await StartTasksAsync(3);
        Assert.Equal(1 * ResourceDemand.UnitsPerOne, _nodes["b"].Agent.Resources.Reserved.UnitsOf(ResourceDemand.Cpu));
        foreach (var task in tasks)
            _ray.Cancel(task);

        await Eventually.TrueAsync(() => _nodes["b"].Agent.Resources.Reserved == ResourceDemand.None && _nodes["c"].Agent.Resources.Reserved == ResourceDemand.None);
    }

    [Fact]
    public async Task Actors_OfOneCpu_ArePlacedOnAllNodes()
    {
        var actors = Enumerable.Range(0, 3).Select(start => _ray.CountActor.Options(new() { NumCpus = 1 }).Remote(start)).ToArray();

        var counts = await Task.WhenAll(actors.Select(actor => actor.Increment.Remote(1).AsTask())).SoonAsync();
        Assert.Equal([1, 2, 3], counts);
        Assert.Equal(["a", "b", "c"], _ray.ListActors().Select(actor => NodeOf(actor.WorkerId)).Order(StringComparer.Ordinal));
        Assert.Equal(3, _ray.ListWorkers().Select(worker => NodeOf(worker.WorkerId)).Distinct().Count());

        Assert.Equal(3, (await Task.WhenAll(actors.Select(actor => actor.Pid.Remote().AsTask()))).Distinct().Count());
        foreach (var actor in actors)
            actor.Kill();
        await Eventually.TrueAsync(() => _ray.AvailableResources["CPU"] == 3);
    }

    [Fact]
    public async Task Actor_OfThisProcess_NeedsTheDriversNode()
    {
        var options = new ActorOptions { NumCpus = 1, Isolation = Isolation.None };
        var here = _ray.CountActor.Options(options).Remote(1);
        Assert.Equal(Environment.ProcessId, await here.Pid.Remote());

        Assert.Throws<InsufficientResourcesException>(() => _ray.CountActor.Options(options with { Scheduling = new SchedulingStrategy.NodeAffinity("b") }).Remote(1));
        GC.KeepAlive(here);
    }

    [Fact]
    public async Task Groups_StrictSpread_PutTheirWorkOnDistinctNodes()
    {
        await using var group = _ray.CreatePlacementGroup([new() { Cpus = 1 }, new() { Cpus = 1 }, new() { Cpus = 1 }], PlacementStrategy.StrictSpread);
        await group.Ready.SoonAsync();

        var actors = Enumerable.Range(0, 3).Select(bundle => _ray.CountActor.Options(new() { NumCpus = 0.5, Scheduling = group.Bundle(bundle) }).Remote(0)).ToArray();
        var pids = Enumerable.Range(0, 3).Select(bundle => _ray.Jobs.Pid.Options(new() { NumCpus = 0.5, Scheduling = group.Bundle(bundle) }).Remote()).ToArray();

        Assert.Equal(3, (await _ray.Get(pids).SoonAsync()).Distinct().Count());
        var counts = await Task.WhenAll(actors.Select(actor => actor.Increment.Remote(1).AsTask())).SoonAsync();
        Assert.Equal([1, 1, 1], counts);
        Assert.Equal(["a", "b", "c"], _ray.ListActors().Select(actor => NodeOf(actor.WorkerId)).Order(StringComparer.Ordinal));
        Assert.Throws<InsufficientResourcesException>(() => _ray.CreatePlacementGroup(Enumerable.Repeat(new Bundle { Cpus = 1 }, 4), PlacementStrategy.StrictSpread));
    }

    [Fact]
    public async Task Node_Disappears_ItsTasksAreRetriedOnAnother()
    {
        await _ray.Jobs.Nothing.Options(new() { Scheduling = new SchedulingStrategy.NodeAffinity("b") }).Remote();
        var file = _folder.In("started");
        var task = _ray.Jobs.Wait.Options(new() { MaxRetries = 1, Scheduling = new SchedulingStrategy.NodeAffinity("b", Soft: true) }).Remote(file);
        await Eventually.TrueAsync(() => File.Exists(file));
        var first = Assert.Single(_ray.ListTasks(), state => state.State == TaskPhase.Running).WorkerId;
        File.Delete(file);

        await _nodes.LoseAsync("b");

        await Eventually.TrueAsync(() => File.Exists(file));
        var second = Assert.Single(_ray.ListTasks(), state => state.State == TaskPhase.Running).WorkerId;
        Assert.NotEqual(NodeOf(first), NodeOf(second));
        Assert.Equal(2, _ray.Resources["CPU"]);
        _ray.Cancel(task);
    }

    [Fact]
    public async Task Node_Disappears_ItsActorsRestartElsewhereByTheirPolicy()
    {
        var where = new SchedulingStrategy.NodeAffinity("b", Soft: true);
        var restarts = _ray.CountActor.Options(new() { NumCpus = 0.5, MaxRestarts = 1, MaxTaskRetries = 1, Scheduling = where }).Remote(5);
        var dies = _ray.CountActor.Options(new() { NumCpus = 0.5, Scheduling = where }).Remote(5);
        Assert.Equal((6, 6), (await restarts.Increment.Remote(1), await dies.Increment.Remote(1)));
        Assert.All(_ray.ListActors(), actor => Assert.Equal("b", NodeOf(actor.WorkerId)));

        await _nodes.LoseAsync("b");

        Assert.Equal(6, await restarts.Increment.Remote(1).AsTask().SoonAsync());
        var died = await Assert.ThrowsAsync<ActorDiedException>(async () => await dies.Increment.Remote(1).AsTask().SoonAsync());
        Assert.Contains("'b' has left", died.Message, StringComparison.Ordinal);
        Assert.NotEqual("b", NodeOf(Assert.Single(_ray.ListActors(), actor => actor.State == ActorPhase.Alive).WorkerId));
        await Eventually.TrueAsync(() => _ray.AvailableResources["CPU"] == 1.5);
    }

    [Fact]
    public async Task Node_Disappears_GroupReservesItsBundleAgain()
    {
        await using var group = _ray.CreatePlacementGroup([new() { Cpus = 1 }, new() { Cpus = 1 }, new() { Cpus = 1 }], PlacementStrategy.StrictSpread);
        await group.Ready.SoonAsync();
        var actors = Enumerable.Range(0, 3).Select(bundle => _ray.CountActor.Options(new() { NumCpus = 1, MaxRestarts = 1, MaxTaskRetries = 1, Scheduling = group.Bundle(bundle) }).Remote(0)).ToArray();
        await Task.WhenAll(actors.Select(actor => actor.Increment.Remote(1).AsTask())).SoonAsync();

        await _nodes.LoseAsync("b");
        var calls = actors.Select(actor => actor.Increment.Remote(1).AsTask()).ToArray();
        await Eventually.TrueAsync(() => calls.Count(call => call.IsCompletedSuccessfully) == 2);
        _nodes.Join("d");

        // The actors of the other bundles have kept their state.
        Assert.Equal([1, 2, 2], (await Task.WhenAll(calls).SoonAsync()).Order());
        Assert.Equal(["a", "c", "d"], _ray.ListActors().Select(actor => NodeOf(actor.WorkerId)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Node_Joins_PendingWorkIsPlacedThere()
    {
        await using var group = _ray.CreatePlacementGroup([new() { Cpus = 1 }, new() { Cpus = 1 }, new() { Cpus = 1 }], PlacementStrategy.StrictSpread);
        await group.Ready.SoonAsync();
        var task = _ray.Jobs.Add.Remote(1, 2);
        var actor = _ray.CountActor.Options(new() { NumCpus = 1 }).Remote(7);
        var call = actor.Increment.Remote(1);
        await Eventually.TrueAsync(() => _ray.ListActors().Count == 1);
        Assert.False(task.IsReady || call.IsReady);

        _nodes.Join("d", cpus: 2);

        Assert.Equal((3, 8), (await task.AsTask().SoonAsync(), await call.AsTask().SoonAsync()));
        Assert.Equal("d", NodeOf(Assert.Single(_ray.ListActors()).WorkerId));
    }

    private static string? NodeOf(string? workerId) => workerId?.Split('-')[0];

    private async Task<ObjectRef<int>[]> StartTasksAsync(int count)
    {
        var files = Enumerable.Range(0, count).Select(number => _folder.In($"task{number}")).ToArray();
        var tasks = files.Select(file => _ray.Jobs.Wait.Remote(file)).ToArray();
        await Eventually.TrueAsync(() => files.All(File.Exists));
        return tasks;
    }
}
