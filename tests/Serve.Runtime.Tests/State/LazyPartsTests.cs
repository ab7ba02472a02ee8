using Serve.Runtime.Clusters;
using Serve.Runtime.Tests.Testing;

namespace Serve.Runtime.Tests.State;

/// <summary>Parts of a cluster that are made when first needed: made late, or never, they are as if they had been there from the start.</summary>
public sealed class LazyPartsTests
{
    [Fact]
    public async Task Placement_NeverUsed_TakesNoGroupsAfterTheEnd()
    {
        var ray = new HeadCluster(new() { NumCpus = 2 });
        await ray.DisposeAsync();
        Assert.Equal(2, ray.AvailableResources["CPU"]);
        Assert.Throws<ObjectDisposedException>(() => ray.Placement.Create([new() { Cpus = 1 }], PlacementStrategy.Pack, null));
    }

    [Fact]
    public async Task Placement_MadeWhileTasksWait_HasWhatComesFreeBeforeThem()
    {
        await using var ray = new HeadCluster(new() { NumCpus = 1 });
        using var holds = new ManualResetEventSlim();
        var running = ray.Run(() => holds.Wait(Eventually.Bound));
        var queued = ray.Run(static () => true, new() { NumCpus = 0.5 });
        var group = ray.CreatePlacementGroup([new() { Cpus = 1 }]);
        holds.Set();
        await group.Ready.SoonAsync();
        Assert.False(queued.IsReady);
        await group.DisposeAsync();
        Assert.True(await queued.AsTask().SoonAsync());
        Assert.True(await running.AsTask().SoonAsync());
    }

    [Fact]
    public async Task Init_Observable_CanBeLookedAtSoon()
    {
        await using var ray = (HeadCluster)await Cluster.Init();
        await Eventually.HoldsAsync(() => ray.IsObserved);
    }

    [Fact]
    public async Task Observe_DisposedMeanwhile_DoesNothing()
    {
        var ray = new HeadCluster(new());
        await ray.DisposeAsync();
        ray.Observe();
        Assert.False(ray.IsObserved);
    }

    [Fact]
    public void Options_NothingOrEmptySet_AreEqualAndEmpty()
    {
        var options = new ClusterOptions { Serializers = default, Resources = [] };
        Assert.Empty(options.Serializers);
        Assert.Empty(options.Resources);
        Assert.Equal(new(), options);
    }
}
