using Serve.Runtime.Clusters;
using Serve.Runtime.Placement;
using Serve.Runtime.Tests.Tasks;
using Serve.Runtime.TestWorker;

namespace Serve.Runtime.Tests.Placement;

/// <summary>Tasks and placement groups of a cluster with several nodes, whose workers are played by the test.</summary>
public sealed class PlacementNodeSetTests : IAsyncLifetime, IAsyncDisposable
{
    private readonly DriverCluster _cluster = new(new() { NumCpus = 1, Isolation = Isolation.Process, Observable = false });
    private readonly FakeTaskExecutor _local = new();
    private readonly FakeTaskExecutor _second = new();
    private readonly FakeTaskExecutor _third = new();

    public PlacementNodeSetTests() => _cluster.Tasks.SetWorkerFactory(() => _local);

    public Task InitializeAsync() => Task.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Submit_ThreeNodes_RunsOnTheWorkersOfEachNode()
    {
        Join("b", _second);
        Join("c", _third);

        var references = Enumerable.Range(0, 3).Select(number => _cluster.Jobs.Add.Remote(number, 1)).ToArray();

        await Eventually.TrueAsync(() => _local.Started.Count == 1 && _second.Started.Count == 1 && _third.Started.Count == 1);
        Assert.Equal(0, _cluster.AvailableResources["CPU"]);
        foreach (var executor in new[] { _local, _second, _third })
            Complete(executor, 7);
        foreach (var reference in references)
            Assert.Equal(7, await reference);
        await Eventually.TrueAsync(() => _cluster.AvailableResources["CPU"] == 3);
    }

    [Fact]
    public async Task CreatePlacementGroup_StrictSpread_PutsBundlesAndTheirTasksOnDistinctNodes()
    {
        Join("b", _second);
        Join("c", _third);
        await using var group = _cluster.CreatePlacementGroup([new() { Cpus = 1 }, new() { Cpus = 1 }, new() { Cpus = 1 }], PlacementStrategy.StrictSpread);
        await group.Ready;

        Assert.Equal(["b", "c", PlacementNode.OnlyId], PlacementStateLister.Groups(_cluster.Placement)[0].Nodes.Order(StringComparer.Ordinal));
        var references = Enumerable.Range(0, 3).Select(bundle => _cluster.Jobs.Add.Options(new() { Scheduling = group.Bundle(bundle) }).Remote(bundle, 1)).ToArray();

        await Eventually.TrueAsync(() => _local.Started.Count == 1 && _second.Started.Count == 1 && _third.Started.Count == 1);
        GC.KeepAlive(references);
    }

    [Fact]
    public async Task Join_TaskWaits_StartsOnTheNewNode()
    {
        var references = Enumerable.Range(0, 2).Select(number => _cluster.Jobs.Add.Remote(number, 1)).ToArray();
        await Eventually.TrueAsync(() => _local.Started.Count == 1);

        Join("b", _second);

        await Eventually.TrueAsync(() => _second.Started.Count == 1);
        GC.KeepAlive(references);
    }

    [Fact]
    public async Task Join_GroupWaits_IsReserved()
    {
        await using var group = _cluster.CreatePlacementGroup([new() { Cpus = 1 }]);
        Join("b", _second);
        await group.Ready;
        Assert.Throws<ArgumentException>(() => Join("b", _second));
    }

    [Fact]
    public async Task Leave_TaskRuns_IsRetriedOnAnotherNode()
    {
        Join("b", _second);
        var references = Enumerable.Range(0, 2).Select(number => _cluster.Jobs.Add.Remote(number, 1)).ToArray();
        await Eventually.TrueAsync(() => _local.Started.Count == 1 && _second.Started.Count == 1);

        _cluster.Nodes.Leave("b");
        Assert.True(_second.Started.TryDequeue(out var lost));
        lost.ReportFailure(new ObjectLostException("The node has left."), isSystem: true);
        Complete(_local, 3);

        await Eventually.TrueAsync(() => _local.Started.Count == 1);
        Complete(_local, 4);
        Assert.Equal([3, 4], (await _cluster.Get(references)).Order());
        Assert.Empty(_second.Started);
    }

    [Fact]
    public async Task Leave_GroupHasBundleThere_IsReservedAgainOnAnotherNode()
    {
        Join("b", _second);
        var group = _cluster.CreatePlacementGroup([new() { Cpus = 1 }, new() { Cpus = 1 }], PlacementStrategy.StrictSpread);
        await group.Ready;
        var lost = PlacementStateLister.Groups(_cluster.Placement)[0].Nodes.IndexOf("b");
        var inside = _cluster.Jobs.Add.Options(new() { Scheduling = group.Bundle(lost) });
        var running = inside.Remote(1, 2);
        await Eventually.TrueAsync(() => _second.Started.Count == 1);

        _cluster.Nodes.Leave("b");
        Assert.True(_second.Started.TryDequeue(out var attempt));
        attempt.ReportFailure(new WorkerDiedException("The node has left."), isSystem: true);
        var waiting = inside.Remote(3, 4);

        var state = PlacementStateLister.Groups(_cluster.Placement)[0];
        Assert.Equal(("RESCHEDULING", ""), (state.State, state.Nodes[lost]));
        Assert.Equal(PlacementNode.OnlyId, state.Nodes[1 - lost]);
        Join("c", _third);
        await Eventually.TrueAsync(() => _third.Started.Count == 1);
        Complete(_third, 3);
        Assert.Equal(3, await running);
        await Eventually.TrueAsync(() => _third.Started.Count == 1);
        Complete(_third, 7);
        Assert.Equal(7, await waiting);
        state = PlacementStateLister.Groups(_cluster.Placement)[0];
        Assert.Equal(("CREATED", "c"), (state.State, state.Nodes[lost]));

        await group.DisposeAsync();
        await Eventually.TrueAsync(() => _cluster.AvailableResources["CPU"] == 2);
    }

    [Fact]
    public async Task Leave_LostBundleFitsNowhere_LaterGroupsAreReserved()
    {
        Join("b", _second);
        await using var group = _cluster.CreatePlacementGroup([new() { Cpus = 1 }, new() { Cpus = 0.5 }], PlacementStrategy.StrictSpread);
        await group.Ready;
        Assert.Equal("b node", string.Join(' ', PlacementStateLister.Groups(_cluster.Placement)[0].Nodes));

        _cluster.Nodes.Leave("b");

        await using var later = _cluster.CreatePlacementGroup([new() { Cpus = 0.5 }]);
        await later.Ready.SoonAsync();
    }

    [Fact]
    public async Task Submit_TaskOfThisProcessWithResourcesElsewhere_Fails()
    {
        Join("b", _second);
        var options = new TaskOptions { Scheduling = new SchedulingStrategy.NodeAffinity("b"), Isolation = Isolation.None };

        var failure = await Assert.ThrowsAsync<InsufficientResourcesException>(async () => await _cluster.Jobs.Add.Options(options).Remote(1, 1));

        Assert.Contains("Set Isolation.Process", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Leave_TaskWithHardAffinityWaits_Fails()
    {
        Join("b", _second);
        var options = new TaskOptions { Scheduling = new SchedulingStrategy.NodeAffinity("b") };
        var references = Enumerable.Range(0, 2).Select(number => _cluster.Jobs.Add.Options(options).Remote(number, 1)).ToArray();
        await Eventually.TrueAsync(() => _second.Started.Count == 1);

        _cluster.Nodes.Leave("b");

        await Assert.ThrowsAsync<InsufficientResourcesException>(async () => await references[1]);
    }

    private void Join(string id, FakeTaskExecutor workers) => _cluster.Nodes.Join(new(id, new(ResourceDemand.None.With(ResourceDemand.Cpu, 1)), new FakeClusterWorkers(workers)));

    private void Complete(FakeTaskExecutor executor, int result)
    {
        Assert.True(executor.Started.TryDequeue(out var attempt));
        attempt.ReportResult(_cluster.Codec.Encode(typeof(int), result, "the result"));
    }
}
