using System.Buffers;
using System.Collections.Immutable;
using Serve.Runtime.Clusters;
using Serve.Runtime.Workers.Processes;

namespace Serve.Runtime.Tests.State;

/// <summary>Lazily created parts of a cluster behave as if they had existed from the start.</summary>
public sealed class LazyPartsTests
{
    [Fact]
    public async Task Placement_DisposedCluster_RejectsGroups()
    {
        var ray = new DriverCluster(new() { NumCpus = 2 }, ProgramWorkerLauncher.StartWorkers);
        await ray.DisposeAsync();
        Assert.Equal(2, ray.AvailableResources["CPU"]);
        Assert.Throws<ObjectDisposedException>(() => ray.Placement.Create([new() { Cpus = 1 }], PlacementStrategy.Pack, null));
    }

    [Fact]
    public async Task Placement_CreatedWhileTasksWait_IsNotifiedFirst()
    {
        await using var ray = new DriverCluster(new() { NumCpus = 1 }, ProgramWorkerLauncher.StartWorkers);
        using var holds = new ManualResetEventSlim();
        var running = ray.Run(() => holds.Wait(Eventually.Limit));
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
    public async Task SubscribeTo_TaskWaits_MissesNoRelease()
    {
        await using var ray = new DriverCluster(new() { NumCpus = 1 }, ProgramWorkerLauncher.StartWorkers);
        var ledger = ray.Ledgers.GetLedgers(null)[0];
        var held = ledger.Reserve(ResourceDemand.None.With(ResourceDemand.Cpu, 1));
        using var holds = new ManualResetEventSlim();
        var queued = ray.Run(() => holds.Wait(Eventually.Limit));
        long? free = null;
        ledger.Released += () => free ??= ledger.Free(ResourceDemand.Cpu);

        // A subscriber that was removed and added again would be notified last and would have missed releases.
        ray.Tasks.SubscribeTo(ledger);
        ledger.Release(held);
        Assert.Equal(0, free);
        holds.Set();
        Assert.True(await queued.AsTask().SoonAsync());
    }

    [Fact]
    public async Task Init_Observable_IsAnnounced()
    {
        await using var ray = (DriverCluster)await Cluster.Init();
        await Eventually.TrueAsync(() => ray.IsObserved);
    }

    [Fact]
    public async Task Observe_DisposedConcurrently_DoesNothing()
    {
        var ray = new DriverCluster(new(), ProgramWorkerLauncher.StartWorkers);
        await ray.DisposeAsync();
        ray.Observe();
        Assert.False(ray.IsObserved);
    }

    [Fact]
    public void Options_UnsetOrEmpty_AreEqual()
    {
        var options = new ClusterOptions { Serializers = default, Resources = [] };
        Assert.Empty(options.Serializers);
        Assert.Empty(options.Resources);
        Assert.Equal(new(), options);
    }

    [Fact]
    public async Task Options_Set_AreReturned()
    {
        var options = new ClusterOptions { Serializers = [new NoSerializer()], Resources = ImmutableDictionary<string, double>.Empty.Add("licence", 2) };
        Assert.IsType<NoSerializer>(Assert.Single(options.Serializers));
        Assert.Equal(2, options.Resources["licence"]);
        Assert.NotEqual(new(), options);
        Assert.Equal(options, options with { });
        Assert.Equal(new(), options with { Resources = [], Serializers = [] });
        await using var without = new DriverCluster(options with { Resources = [] }, ProgramWorkerLauncher.StartWorkers);
        Assert.DoesNotContain("licence", without.Resources.Keys);
        await using var with = new DriverCluster(options with { NumCpus = 3 }, ProgramWorkerLauncher.StartWorkers);
        Assert.Equal(2, with.Resources["licence"]);
    }

    private sealed class NoSerializer : ValueSerializer<Version>
    {
        public override void Serialize(Version value, IBufferWriter<byte> output)
        {
        }

        public override Version Deserialize(ReadOnlySpan<byte> bytes) => new();
    }
}
