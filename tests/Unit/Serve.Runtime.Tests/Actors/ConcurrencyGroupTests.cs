using Serve.Runtime.Testing;
using Serve.Runtime.TestWorker;

namespace Serve.Runtime.Tests.Actors;

public sealed class ConcurrencyGroupTests : IAsyncLifetime
{
    private Cluster _ray = null!;

    public async Task InitializeAsync() => _ray = await Cluster.Init(new() { NumCpus = 2 });

    public async Task DisposeAsync() => await _ray.DisposeAsync();

    [Fact]
    public async Task Remote_GroupIsFull_OtherGroupsGoOn()
    {
        var actor = _ray.GroupActor.Remote();
        var gate = new TestCallGate();
        var compute = new TestCallGate();
        var io = Enumerable.Range(0, 4).Select(_ => actor.Io.Remote(gate)).ToArray();
        var computes = actor.Compute.Remote(compute);
        await compute.Entered.SoonAsync();
        Assert.Equal(1, await actor.Plain.Remote());
        await Eventually.TrueAsync(async () => await actor.ReadMost.Remote() == 3);
        compute.Open();
        gate.Open();
        await _ray.Get(io);
        await computes;
        Assert.Equal(3, await actor.ReadMost.Remote());
    }

    [Theory]
    [InlineData(Isolation.None)]
    [InlineData(Isolation.Process)]
    public async Task Remote_MoreThanMayRunAtOnce_WaitWhileOtherGroupsGoOn(Isolation isolation)
    {
        await using var apart = await Cluster.Init(new() { NumCpus = 1, WorkerCommand = [LocalAgentFixture.Executable, "worker"] });
        var actor = apart.HoldActor.Options(new() { Isolation = isolation }).Remote();
        var holds = Enumerable.Range(0, 3).Select(_ => actor.Hold.Remote()).ToArray();

        await Eventually.TrueAsync(async () => await actor.Held.Remote() == 2);
        for (var i = 0; i < 50; i++)
            Assert.Equal(2, await actor.Held.Remote());
        Assert.Equal(2, await actor.HeldNow.Options(new() { ConcurrencyGroup = "control" }).Remote().AsTask().SoonAsync());
        await actor.Release.Remote();

        Assert.All(await apart.Get(holds), Assert.True);
    }

    [Fact]
    public async Task Options_ConcurrencyGroup_OverridesTheMethodsOwn()
    {
        var actor = _ray.GroupActor.Remote();
        var gate = new TestCallGate();
        var held = actor.Held.Remote(gate);
        await gate.Entered;
        var waits = actor.Plain.Remote();
        Assert.Equal(1, await actor.Plain.Options(new() { ConcurrencyGroup = "compute" }).Remote());
        Assert.False(waits.IsReady);
        gate.Open();
        await held;
        Assert.Equal(1, await waits);
        var unknown = Assert.Throws<ArgumentException>(() => actor.Plain.Options(new() { ConcurrencyGroup = "disk" }).Remote());
        Assert.Contains("compute, io", unknown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Remote_ParallelActor_RunsSoManyAtOnceAndStartsInOrder()
    {
        var actor = _ray.GroupActor.Options(new() { MaxConcurrency = 4 }).Remote();
        var gates = Enumerable.Range(0, 8).Select(_ => new TestCallGate()).ToArray();
        var calls = gates.Select(gate => actor.Held.Remote(gate)).ToArray();
        await Task.WhenAll(gates.Take(4).Select(gate => gate.Entered)).SoonAsync();
        Assert.DoesNotContain(gates.Skip(4), gate => gate.Entered.IsCompleted);
        foreach (var gate in gates)
            gate.Open();
        await _ray.Get(calls);
        Assert.Equal(4, await actor.ReadMost.Remote());
    }
}
