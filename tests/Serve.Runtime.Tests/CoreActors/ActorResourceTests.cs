using Serve.Runtime.Tests.Testing;
using Serve.Runtime.TestWorker;

namespace Serve.Runtime.Tests.CoreActors;

public sealed class ActorResourceTests : IAsyncLifetime
{
    private Cluster ray = null!;

    public async Task InitializeAsync() => ray = await Cluster.Init(new() { NumCpus = 2 });

    public async Task DisposeAsync() => await ray.DisposeAsync();

    [Fact]
    public void Remote_MoreThanThereIs_ThrowsAtOnce() =>
        Assert.True(Assert.Throws<InsufficientResourcesException>(() => ray.CountActor.Options(new() { NumCpus = 3 }).Remote()).IsPermanent);

    [Fact]
    public async Task Remote_NotFreeNow_IsCreatedWhenItIs()
    {
        var first = ray.CountActor.Options(new() { NumCpus = 2 }).Remote();
        await first.Created;
        Assert.Equal(0, ray.AvailableResources["CPU"]);
        var second = ray.CountActor.Options(new() { NumCpus = 1 }).Remote();
        var read = second.Read.Remote();
        Assert.Equal(ActorPhase.PendingCreation, ray.ListActors()[1].State);
        Assert.False(read.IsReady);
        first.Kill();
        Assert.Equal(0, await read);
        Assert.Equal(1, ray.AvailableResources["CPU"]);
        await second.Terminate();
        Assert.Equal(2, ray.AvailableResources["CPU"]);
    }

    [Fact]
    public async Task Remote_KilledWhileItWaits_HoldsNothing()
    {
        var first = ray.CountActor.Options(new() { NumCpus = 2 }).Remote();
        await first.Created;
        var second = ray.CountActor.Options(new() { NumCpus = 2 }).Remote();
        second.Kill();
        await Assert.ThrowsAsync<ActorDiedException>(async () => await second.Read.Remote());
        first.Kill();
        await Eventually.HoldsAsync(() => ray.AvailableResources["CPU"] == 2);
    }
}
