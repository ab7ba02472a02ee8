using System.Collections.Immutable;
using Serve.Runtime.Actors;
using Serve.Runtime.Clusters;
using Serve.Runtime.Tests.Functions;
using Serve.Runtime.Workers.Processes;

namespace Serve.Runtime.Tests.Tasks;

/// <summary>Precedence of task options: call, attribute, cluster.</summary>
public sealed class TaskOptionsTests
{
    private static readonly ClusterOptions Plenty = new() { NumCpus = 4, NumGpus = 2, Memory = 1000, Resources = ImmutableDictionary<string, double>.Empty.Add("tpu", 1) };

    [Fact]
    public async Task Remote_AttributeResources_AreReservedWhileRunning()
    {
        await using var ray = await Cluster.Init(Plenty);

        Assert.Equal("CPU=2.5 GPU=1.5 memory=900 tpu=0.75", await ray.Demanding.Free.Remote());
        await Eventually.TrueAsync(() => Demanding.Text(ray.AvailableResources) == "CPU=4 GPU=2 memory=1000 tpu=1");
    }

    [Fact]
    public async Task Options_Resources_OverrideAttribute()
    {
        await using var ray = await Cluster.Init(Plenty);

        var free = await ray.Demanding.Free.Options(new() { NumCpus = 3, NumGpus = 0.25, Memory = 50, Resources = ImmutableDictionary<string, double>.Empty.Add("tpu", 0.5) }).Remote();

        Assert.Equal("CPU=1 GPU=1.75 memory=950 tpu=0.5", free);
    }

    [Fact]
    public async Task Remote_OneCpuAndCustomResources_ReservesBoth()
    {
        await using var ray = await Cluster.Init(Plenty);
        Assert.Equal(2, await ray.Recursion.Increment.Remote(1));
        await Eventually.TrueAsync(() => ray.AvailableResources["CPU"] == 4);

        Assert.Equal("CPU=3 GPU=2 memory=1000 tpu=0.5", await ray.Demanding.FreeOfCustom.Remote());
        await Eventually.TrueAsync(() => ray.AvailableResources["CPU"] == 4);
        var free = await ray.Run(() => Demanding.Text(ray.AvailableResources), new() { Resources = ImmutableDictionary<string, double>.Empty.Add("tpu", 0.25) });
        Assert.Equal("CPU=3 GPU=2 memory=1000 tpu=0.75", free);
    }

    [Theory]
    [InlineData(Isolation.None)]
    [InlineData(Isolation.Process)]
    public async Task Isolation_Task_CallOverridesAttributeOverridesCluster(Isolation cluster)
    {
        await using var ray = new DriverCluster(Plenty with { Isolation = cluster }, ProgramWorkerLauncher.StartWorkers);
        var workers = new FakeTaskExecutor();
        ray.Tasks.SetWorkerFactory(() => workers);

        Assert.Equal(1, await ray.Demanding.Here.Remote());
        Assert.Equal(2, await ray.Demanding.Apart.Options(new() { Isolation = Isolation.None }).Remote());
        Assert.Empty(workers.Started);
        ObjectRef<int>[] apart = [ray.Demanding.Apart.Remote(), ray.Demanding.Here.Options(new() { Isolation = Isolation.Process }).Remote()];
        await Eventually.TrueAsync(() => workers.Started.Count == 2);
        var unsaid = ray.Recursion.Increment.Remote(1);
        await Eventually.TrueAsync(() => unsaid.IsReady || workers.Started.Count == 3);
        Assert.Equal(cluster == Isolation.None, unsaid.IsReady);
        GC.KeepAlive(apart);
    }

    [Theory]
    [InlineData(Isolation.Default, Isolation.Default, Isolation.Process, true)]
    [InlineData(Isolation.Default, Isolation.Default, Isolation.None, false)]
    [InlineData(Isolation.Default, Isolation.Process, Isolation.None, true)]
    [InlineData(Isolation.Default, Isolation.None, Isolation.Process, false)]
    [InlineData(Isolation.Process, Isolation.None, Isolation.None, true)]
    [InlineData(Isolation.None, Isolation.Process, Isolation.Process, false)]
    public void Isolation_Actor_OptionsOverrideAttributeOverrideCluster(Isolation options, Isolation attribute, Isolation cluster, bool isProcess) =>
        Assert.Equal(isProcess, ResolvedActorOptions.Resolve(new() { Isolation = attribute }, new() { Isolation = options }, null, cluster).IsProcess);

    [Fact]
    public async Task Remote_ExceedsAttributeTimeout_Fails()
    {
        await using var ray = await Cluster.Init(Plenty);

        await Assert.ThrowsAsync<RequestTimeoutException>(() => ray.Demanding.Forever.Remote().AsTask().WaitAsync(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public async Task Remote_ReferenceOfOtherCluster_Throws()
    {
        await using var ray = await Cluster.Init(Plenty);
        await using var other = await Cluster.Init(Plenty);
        var foreign = other.Put(1);
        var actor = ray.Tally.Remote(0);

        Assert.Contains("another cluster", Assert.Throws<ArgumentException>(() => ray.Recursion.Increment.Remote(foreign)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => ray.Recursion.Count.Remote(foreign, 0));
        Assert.Throws<ArgumentException>(() => actor.Increment.Remote(foreign));
        Assert.Throws<ArgumentException>(() => ray.Tally.Remote(foreign));
        await Assert.ThrowsAsync<ArgumentException>(async () => await ray.Get(foreign));
        await Assert.ThrowsAsync<ArgumentException>(async () => await ray.Get([foreign]));
        await Assert.ThrowsAsync<ArgumentException>(async () => await ray.Wait([foreign]));

        // The actor does not wait for a call that was never submitted.
        await actor.Terminate().WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task AnyMember_DisposedCluster_Throws()
    {
        var ray = await Cluster.Init(Plenty);
        var reference = ray.Put(1);
        var actor = ray.Tally.Options(new() { Name = "tally" }).Remote(0);
        await ray.DisposeAsync();

        Assert.Throws<ObjectDisposedException>(() => ray.Put(1));
        Assert.Throws<ObjectDisposedException>(() => ray.Recursion.Increment.Remote(1));
        Assert.Throws<ObjectDisposedException>(() => ray.Recursion.Count.Remote(1, 0));
        Assert.Throws<ObjectDisposedException>(() => ray.Tally.Remote(0));
        Assert.Throws<ObjectDisposedException>(() => ray.GetActor<Tally>("tally"));
        Assert.Throws<ObjectDisposedException>(() => actor.Increment.Remote(1));
        Assert.Throws<ObjectDisposedException>(() => actor.Down.Remote());
        Assert.Throws<ObjectDisposedException>(() => ray.CreatePlacementGroup([new() { Cpus = 1 }]));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await ray.Get(reference));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await ray.Wait([reference]));
    }
}

public static partial class Demanding
{
    /// <summary>Resources available while the task runs.</summary>
    [Remote(NumCpus = 1.5, NumGpus = 0.5, Memory = 100, Resources = "tpu=0.25")]
    public static string Free() => Text(Cluster.Current.AvailableResources);

    /// <summary>Resources available while the task runs.</summary>
    [Remote(Resources = "tpu=0.5")]
    public static string FreeOfCustom() => Text(Cluster.Current.AvailableResources);

    [Remote(Isolation = Isolation.None)]
    public static int Here() => 1;

    [Remote(Isolation = Isolation.Process)]
    public static int Apart() => 2;

    [Remote(TimeoutSeconds = 0.05)]
    public static async Task<int> Forever(CancellationToken stop)
    {
        await Task.Delay(Timeout.Infinite, stop);
        return 0;
    }

    public static string Text(IReadOnlyDictionary<string, double> resources) =>
        string.Join(' ', resources.OrderBy(each => each.Key, StringComparer.Ordinal).Select(each => FormattableString.Invariant($"{each.Key}={each.Value}")));
}
