using Serve.Runtime.Testing;

namespace Serve.Runtime.Tests.Placement;

/// <summary>Tasks and actors in placement groups.</summary>
public sealed class PlacementGroupWorkTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Submit_InBundle_UsesBundleResources()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 2, Observable = false });
        await using var group = ray.CreatePlacementGroup([new() { Cpus = 2 }]);
        await group.Ready;
        var outside = ray.Grouped.Seven.Remote();
        Assert.Equal(7, await ray.Get(ray.Grouped.Seven.Options(new() { Scheduling = group.Bundle(0) }).Remote(), Patience));
        Assert.False(outside.IsReady);
        await group.DisposeAsync();
        Assert.Equal(7, await ray.Get(outside, Patience));
    }

    [Fact]
    public async Task Submit_WaitingGroup_RunsWhenReserved()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1, Observable = false });
        var first = ray.CreatePlacementGroup([new() { Cpus = 1 }]);
        await using var second = ray.CreatePlacementGroup([new() { Cpus = 1 }]);
        var seven = ray.Grouped.Seven.Options(new() { Scheduling = second.Bundle() }).Remote();
        Assert.False(seven.IsReady);
        await first.DisposeAsync();
        Assert.Equal(7, await ray.Get(seven, Patience));
    }

    [Fact]
    public async Task Dispose_TasksInGroup_AreCanceledWithReason()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 2, Observable = false });
        var group = ray.CreatePlacementGroup([new() { Cpus = 1 }], name: "short");
        var inside = new TaskOptions { Scheduling = group.Bundle(0) };
        var running = ray.Grouped.UntilStopped.Options(inside).Remote();
        var waiting = ray.Grouped.Seven.Options(inside).Remote();
        await group.DisposeAsync();
        foreach (var ended in new ObjectRef<int>[] { running, waiting })
            Assert.Contains("placement group 'short' has been removed", (await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await ray.Get(ended, Patience))).Message, StringComparison.Ordinal);
        Assert.Equal(2, ray.AvailableResources["CPU"]);
        Assert.Throws<InsufficientResourcesException>(() => ray.Grouped.Seven.Options(inside).Remote());
    }

    [Fact]
    public async Task Submit_ChildWithCapture_RunsInGroup()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 3, Observable = false });
        await using var group = ray.CreatePlacementGroup([new() { Cpus = 2 }]);
        var captured = ray.Grouped.FreeOutside.Options(new() { Scheduling = group.Bundle(captureChildTasks: true) }).Remote();
        Assert.Equal(1, await ray.Get(captured, Patience));
        var free = ray.Grouped.FreeOutside.Options(new() { Scheduling = group.Bundle() }).Remote();
        Assert.Equal(0, await ray.Get(free, Patience));
    }

    [Theory]
    [InlineData(Isolation.None, true)]
    [InlineData(Isolation.None, false)]
    [InlineData(Isolation.Process, true)]
    [InlineData(Isolation.Process, false)]
    public async Task ActorCall_ChildTasks_RunInGroupIfCaptured(Isolation isolation, bool capture)
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 3, Isolation = isolation, WorkerCommand = [LocalAgentFixture.Executable, "worker"], Observable = false });
        await using var group = ray.CreatePlacementGroup([new() { Cpus = 2 }]);
        var actor = ray.GroupedActor.Options(new() { Scheduling = group.Bundle(captureChildTasks: capture) }).Remote();

        Assert.Equal(capture ? 1 : 0, await ray.Get(actor.FreeOutsideTask.Remote(), Patience));
        Assert.Equal(capture ? 1 : 0, await ray.Get(actor.FreeOutsideActor.Remote(), Patience));
    }

    [Fact]
    public async Task Dispose_ActorsInGroup_Terminate()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 2, Observable = false });
        var group = ray.CreatePlacementGroup([new() { Cpus = 1 }]);
        var inside = ray.GroupedActor.Options(new() { NumCpus = 1, Scheduling = group.Bundle(0) }).Remote();
        var outside = ray.GroupedActor.Remote();
        await inside.Created;

        await group.DisposeAsync();

        Assert.Contains("placement group", (await Assert.ThrowsAsync<ActorDiedException>(async () => await inside.FreeOutsideTask.Remote())).Message, StringComparison.Ordinal);
        Assert.Equal(1, await ray.Get(outside.FreeOutsideTask.Remote(), Patience));
        await Eventually.TrueAsync(() => ray.AvailableResources["CPU"] == 2);
    }
}

/// <summary>Returns the free CPUs while a child task runs.</summary>
[Remote]
public sealed class GroupedActor
{
    public Task<double> FreeOutsideTask() => Grouped.FreeOutside();

    public async Task<double> FreeOutsideActor()
    {
        var made = Cluster.Current.GroupedActor.Options(new() { NumCpus = 1 }).Remote();
        await made.Created;
        var free = Grouped.FreeNow();
        await made.Terminate();
        return free;
    }
}

public static partial class Grouped
{
    [Remote]
    public static int Seven() => 7;

    [Remote]
    public static async Task<int> UntilStopped(CancellationToken stop)
    {
        await Task.Delay(Timeout.Infinite, stop);
        return 0;
    }

    [Remote]
    public static async Task<double> FreeOutside() => await Cluster.Current.Get(Cluster.Current.Grouped.FreeNow.Remote());

    [Remote]
    public static double FreeNow() => Cluster.Current.AvailableResources["CPU"];
}
