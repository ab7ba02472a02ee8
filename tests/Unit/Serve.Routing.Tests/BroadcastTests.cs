using Serve.Calls;

namespace Serve.Routing.Tests;

public sealed class BroadcastTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task BroadcastAsync_SeveralReplicas_ReturnsOneResultEach()
    {
        using var world = new RoutingTestWorld(TimeProvider.System).Deploy("a/A", "r1 r2 r3").Publish();
        var results = await Broadcast(world);
        Assert.Equal(["r1=r1", "r2=r2", "r3=r3"], results);
        Assert.All(world.Router("A").Replicas, slot => Assert.Equal(0, slot.Ongoing));
    }

    [Fact]
    public async Task BroadcastAsync_OneReplicaFails_TheOthersHaveResults()
    {
        using var world = new RoutingTestWorld(TimeProvider.System).Deploy("a/A", "r1 r2 r3").Publish();
        world["r1"].Throws = new UserCodeException(new InvalidOperationException("no"));
        world["r2"].IsGone = true;
        Assert.Equal(["r1 UserCodeException", "r2 ReplicaDiedException", "r3=r3"], await Broadcast(world));
        Assert.All(world.Router("A").Replicas, slot => Assert.Equal(0, slot.Ongoing));
    }

    [Fact]
    public async Task BroadcastAsync_ReplicaIsAtItsLimit_WaitsUntilItAccepts()
    {
        using var world = new RoutingTestWorld(TimeProvider.System).Deploy("a/A", "r1 r2").Publish();
        world["r1"].Refuses = true;
        var broadcast = Broadcast(world);
        await Task.Delay(50);
        Assert.False(broadcast.IsCompleted);
        world["r1"].Refuses = false;
        Assert.Equal(["r1=r1", "r2=r2"], await broadcast.WaitAsync(Bound));
    }

    [Fact]
    public async Task BroadcastAsync_AllLeasesAreTaken_StillCallsTheReplica()
    {
        using var world = new RoutingTestWorld(TimeProvider.System).Deploy("a/A", "r1", max: 1).Publish();
        world["r1"].Hold = new();
        var request = world.Call("A");
        var broadcast = Broadcast(world);
        await Eventually.TrueAsync(() => world["r1"].Calls == 2);
        world["r1"].Hold!.SetResult();
        Assert.Equal(["r1=r1"], await broadcast.WaitAsync(Bound));
        await request;
    }

    [Fact]
    public async Task BroadcastAsync_DeadlinePasses_OnlyTheSlowReplicaFails()
    {
        using var world = new RoutingTestWorld(TimeProvider.System).Deploy("a/A", "r1 r2").Publish();
        world["r1"].Work = _ => new TaskCompletionSource().Task;
        var context = new CallContext { Urgency = default(CallUrgency).Within(TimeSpan.FromMilliseconds(50), TimeProvider.System) };
        Assert.Equal(["r1 RequestTimeoutException", "r2=r2"], await Broadcast(world, context).WaitAsync(Bound));
    }

    [Fact]
    public async Task BroadcastAsync_Canceled_Throws()
    {
        using var world = new RoutingTestWorld(TimeProvider.System).Deploy("a/A", "r1").Publish();
        world["r1"].Hold = new();
        using var source = new CancellationTokenSource();
        var broadcast = Broadcast(world, cancellationToken: source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => broadcast.WaitAsync(Bound));
    }

    [Fact]
    public async Task BroadcastAsync_NoReplicas_ReturnsNothingAndStartsNone()
    {
        using var world = new RoutingTestWorld(TimeProvider.System).Deploy("a/A", wakes: true).Publish();
        var woken = false;
        world.Table.WakeUpRequested += _ => woken = true;
        Assert.Empty(await Broadcast(world));
        Assert.False(woken);
    }

    [Fact]
    public async Task BroadcastAsync_UnknownDeployment_Throws()
    {
        using var world = new RoutingTestWorld(TimeProvider.System).Publish();
        await Assert.ThrowsAsync<NoSuchRouteException>(() => Broadcast(world));
    }

    private static async Task<string[]> Broadcast(RoutingTestWorld world, CallContext? context = null, CancellationToken cancellationToken = default)
    {
        var results = await ((IBroadcastTarget)world.Table.GetTarget("A")).BroadcastAsync(new NamedMethodCall<string>("Call"), context ?? CallContext.None, cancellationToken);
        return [.. results.Select(result => result.Error is { } error ? $"{result.ReplicaId} {error.GetType().Name}" : $"{result.ReplicaId}={result.Value}")];
    }
}
