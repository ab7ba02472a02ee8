using Serve.Calls;

namespace Serve.Routing.Tests;

public sealed class RoutedCallTargetTests
{
    [Fact]
    public async Task InvokeAsync_ReplicaRefuses_AnotherReplicaAnswers()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1 r2", max: 5).Publish();
        world["r1"].Refuses = true;
        for (var i = 0; i < 20; i++)
            Assert.Equal("r2", await world.Call("A"));
        Assert.All(world.Router("A").Replicas, slot => Assert.Equal(0, slot.Ongoing));
    }

    [Fact]
    public async Task InvokeAsync_OnlyReplicaRefusesTemporarily_AnswersLater()
    {
        using var world = new RoutingTestWorld(TimeProvider.System).Deploy("a/A", "r1", max: 5).Publish();
        world["r1"].Refuses = true;
        var call = world.Call("A");
        await Eventually.TrueAsync(() => world.Router("A").Queued == 1);
        Assert.False(call.IsCompleted);

        world["r1"].Refuses = false;

        Assert.Equal("r1", await call.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task InvokeAsync_ReplicaIsGone_WaitsForTheNextSnapshot()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1").Publish();
        world["r1"].IsGone = true;
        var call = world.Call("A");
        Assert.False(call.IsCompleted);

        world.Deploy("a/A", "r2").Publish();

        Assert.Equal("r2", await call.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task InvokeAsync_ReplicaThrows_ThrowsAndReturnsTheLease()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1").Publish();
        world["r1"].Throws = new UserCodeException(new InvalidOperationException("no"));
        await Assert.ThrowsAsync<UserCodeException>(() => world.Call("A"));
        Assert.Equal(0, world.Router("A").Replicas[0].Ongoing);
    }

    [Fact]
    public async Task InvokeAsync_CanceledDuringTheCall_ReturnsTheLease()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1").Publish();
        world["r1"].Hold = new TaskCompletionSource();
        using var source = new CancellationTokenSource();
        var call = world.Call("A", stop: source.Token);
        Assert.Equal(1, world.Router("A").Replicas[0].Ongoing);

        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.Equal(0, world.Router("A").Replicas[0].Ongoing);
    }

    [Fact]
    public async Task InvokeAsync_AllReplicasBusy_QueuesTheCall()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1", max: 1).Publish();
        world["r1"].Hold = new TaskCompletionSource();
        var calls = Enumerable.Range(0, 10).Select(_ => world.Call("A")).ToArray();
        Assert.Equal(9, world.Router("A").Queued);

        world["r1"].Hold!.SetResult();

        await Task.WhenAll(calls).WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(1, world["r1"].MostOngoing);
    }

    [Fact]
    public async Task StreamAsync_WhileEnumerated_KeepsTheLease()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1").Publish();
        var slot = world.Router("A").Replicas[0];
        var items = 0;
        await foreach (var item in world.Stream("A"))
        {
            Assert.Equal(1, slot.Ongoing);
            items++;
        }

        Assert.Equal(3, items);
        Assert.Equal(0, slot.Ongoing);
    }

    [Fact]
    public async Task StreamAsync_EnumerationStoppedEarly_ReturnsTheLease()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1").Publish();
        await foreach (var item in world.Stream("A"))
            break;
        Assert.Equal(0, world.Router("A").Replicas[0].Ongoing);
    }

    [Fact]
    public async Task StreamAsync_ReplicaRefuses_AnotherReplicaAnswers()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1 r2").Publish();
        world["r1"].Refuses = true;
        for (var i = 0; i < 10; i++)
            Assert.Equal(["r2", "r2", "r2"], await world.Stream("A").ToArrayAsync());
    }

    [Fact]
    public async Task StreamAsync_ThrowsAfterSomeItems_ThrowsAndReturnsTheLease()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1").Publish();
        world["r1"].Throws = new UserCodeException(new InvalidOperationException("no"));
        await Assert.ThrowsAsync<UserCodeException>(async () => await world.Stream("A").ToArrayAsync());
        Assert.Equal(0, world.Router("A").Replicas[0].Ongoing);
    }

    [Fact]
    public async Task InvokeAsync_CallCompletesSynchronously_AllocatesNothing()
    {
        using var world = new RoutingTestWorld(TimeProvider.System).Deploy("a/A", "r1 r2 r3", max: 100).Publish();
        var target = world.Table.GetTarget("A");
        var call = new NamedMethodCall<string>("Call");
        for (var i = 0; i < 1000; i++)
            await target.InvokeAsync(call, CallContext.None, default);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            await target.InvokeAsync(call, CallContext.None, default);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
