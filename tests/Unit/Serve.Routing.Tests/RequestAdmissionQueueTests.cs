namespace Serve.Routing.Tests;

public sealed class RequestAdmissionQueueTests
{
    [Fact]
    public async Task AcquireAsync_AllReplicasBusy_WaitsForAReturnedLease()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1").Publish();
        var router = world.Router("A");
        var first = await router.AcquireAsync(default);
        var second = router.AcquireAsync(default).AsTask();
        Assert.False(second.IsCompleted);
        Assert.Equal(1, router.Queued);

        first.Release();

        Assert.Equal("r1", (await second).Slot.Route.ReplicaId);
        Assert.Equal(0, router.Queued);
    }

    [Fact]
    public async Task AcquireAsync_SeveralRequestsWait_AreServedInOrder()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1").Publish();
        var router = world.Router("A");
        var held = await router.AcquireAsync(default);
        var waiters = Enumerable.Range(0, 5).Select(_ => router.AcquireAsync(default).AsTask()).ToArray();

        foreach (var waiter in waiters)
        {
            held.Release();
            Assert.Same(waiter, await Task.WhenAny(waiters.Where(task => task == waiter || !task.IsCompleted)));
            held = await waiter;
        }
    }

    [Fact]
    public async Task TryAcquire_RequestsWait_DoesNotOvertakeThem()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1", max: 1).Publish();
        var router = world.Router("A");
        var held = await router.AcquireAsync(default);
        using var timeout = new CancellationTokenSource();
        var waiter = router.AcquireAsync(timeout.Token).AsTask();

        Assert.False(router.TryAcquire(out _));
        await timeout.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiter);
        held.Release();
        Assert.True(router.TryAcquire(out _));
    }

    [Fact]
    public async Task AcquireAsync_QueueFull_ThrowsOverloadedWithRetryAfter()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1", queue: 1).Publish();
        var router = world.Router("A");
        await router.AcquireAsync(default);
        _ = router.AcquireAsync(default).AsTask();

        var error = await Assert.ThrowsAsync<OverloadedException>(async () => await router.AcquireAsync(default));

        Assert.Contains("a/A", error.Message, StringComparison.Ordinal);
        Assert.InRange(error.RetryAfter, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task AcquireAsync_QueueFullAndMoving_RetryAfterIsTheTimeToServeTheQueue()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1", queue: 10).Publish();
        var router = world.Router("A");
        var held = await router.AcquireAsync(default);
        var waiters = Enumerable.Range(0, 10).Select(_ => router.AcquireAsync(default).AsTask()).ToList();
        for (var i = 0; i < 4; i++)
        {
            world.Clock.Advance(TimeSpan.FromSeconds(2));
            held.Release();
            held = await waiters[i];
            waiters.Add(router.AcquireAsync(default).AsTask());
        }

        var error = await Assert.ThrowsAsync<OverloadedException>(async () => await router.AcquireAsync(default));

        Assert.Equal(20, error.RetryAfter.TotalSeconds, 0.1);
    }

    [Fact]
    public async Task AcquireAsync_QueueLimitZero_ThrowsImmediately()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1", queue: 0).Publish();
        var held = await world.Router("A").AcquireAsync(default);
        await Assert.ThrowsAsync<OverloadedException>(async () => await world.Router("A").AcquireAsync(default));
        held.Release();
        (await world.Router("A").AcquireAsync(default)).Release();
    }

    [Fact]
    public async Task AcquireAsync_NoQueueLimit_QueuesAllRequests()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1", queue: -1).Publish();
        await world.Router("A").AcquireAsync(default);
        var waiters = Enumerable.Range(0, 5000).Select(_ => world.Router("A").AcquireAsync(default).AsTask()).ToArray();
        Assert.Equal(5000, world.Router("A").Queued);
        Assert.DoesNotContain(waiters, waiter => waiter.IsCompleted);
    }

    [Fact]
    public async Task AcquireAsync_Canceled_IsRemovedFromTheQueue()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1", queue: 1).Publish();
        var router = world.Router("A");
        var held = await router.AcquireAsync(default);
        using var source = new CancellationTokenSource();
        var waiter = router.AcquireAsync(source.Token).AsTask();

        source.Cancel();

        Assert.Equal(0, router.Queued);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiter);
        var next = router.AcquireAsync(default).AsTask();
        held.Release();
        (await next).Release();
        Assert.Equal(0, router.Replicas[0].Ongoing);
    }

    [Fact]
    public async Task AcquireAsync_NoReplicaAndNoReason_Waits()
    {
        using var world = new RoutingTestWorld().Deploy("a/A").Publish();
        var waiter = world.Router("A").AcquireAsync(default).AsTask();
        Assert.False(waiter.IsCompleted);

        world.Deploy("a/A", "r1").Publish();

        Assert.Equal("r1", (await waiter).Slot.Route.ReplicaId);
    }

    [Fact]
    public async Task AcquireAsync_NoReplicaAndAReason_Fails()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", unavailable: "its constructor threw").Publish();
        var error = await Assert.ThrowsAsync<NoReplicaException>(async () => await world.Router("A").AcquireAsync(default));
        Assert.Contains("its constructor threw", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Apply_DeploymentBecomesUnavailable_FailsQueuedRequests()
    {
        using var world = new RoutingTestWorld().Deploy("a/A").Publish();
        var waiter = world.Router("A").AcquireAsync(default).AsTask();

        world.Deploy("a/A", unavailable: "scaled to zero").Publish();

        await Assert.ThrowsAsync<NoReplicaException>(() => waiter);
    }

    [Fact]
    public async Task Apply_DeploymentDeleted_FailsQueuedRequests()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1").Publish();
        var router = world.Router("A");
        var held = await router.AcquireAsync(default);
        var waiter = router.AcquireAsync(default).AsTask();

        world.Delete("a/A").Publish();

        await Assert.ThrowsAsync<NoSuchRouteException>(() => waiter);
        held.Release();
    }

    [Fact]
    public async Task Apply_HigherLimit_ServesQueuedRequests()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1", max: 1).Publish();
        await world.Router("A").AcquireAsync(default);
        var waiter = world.Router("A").AcquireAsync(default).AsTask();

        world.Deploy("a/A", "r1", max: 2).Publish();

        await waiter.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Refuse_Busy_ReplicaBacksOff()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1", max: 5).Publish();
        var router = world.Router("A");
        var lease = await router.AcquireAsync(default);

        lease.Refuse(gone: false);
        var again = router.ReacquireAsync(default).AsTask();

        Assert.False(again.IsCompleted);
        world.Clock.Advance(TimeSpan.FromMilliseconds(5));
        (await again.WaitAsync(TimeSpan.FromSeconds(20))).Release();
        Assert.True(router.TryAcquire(out _));
    }

    [Fact]
    public async Task Refuse_AfterACompletedRequest_BackoffStartsAnew()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1", max: 5).Publish();
        var router = world.Router("A");
        for (var i = 0; i < 6; i++)
        {
            var lease = router.AcquireAsync(default).AsTask();
            world.Clock.Advance(TimeSpan.FromMilliseconds(40));
            (await lease.WaitAsync(TimeSpan.FromSeconds(20))).Refuse(gone: false);
        }

        world.Clock.Advance(TimeSpan.FromMilliseconds(40));
        Assert.True(router.TryAcquire(out var served));
        served.Release();
        Assert.True(router.TryAcquire(out var refused));
        refused.Refuse(gone: false);
        Assert.False(router.TryAcquire(out _));
        world.Clock.Advance(TimeSpan.FromMilliseconds(2));

        Assert.True(router.TryAcquire(out _));
    }

    [Fact]
    public async Task Fail_ReplicaDied_ReplicaIsNotPickedForAMoment()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1 r2", max: 50).Publish();
        var router = world.Router("A");
        var lease = await router.AcquireAsync(default);

        lease.Fail(new ReplicaDiedException("its process exited"));

        for (var i = 0; i < 20; i++)
        {
            Assert.True(router.TryAcquire(out var next));
            Assert.NotSame(lease.Slot, next.Slot);
        }
    }

    [Fact]
    public async Task Fail_OtherError_ReplicaIsPickedAgain()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1", max: 1).Publish();
        var router = world.Router("A");

        (await router.AcquireAsync(default)).Fail(new RequestTimeoutException("too long"));

        Assert.True(router.TryAcquire(out _));
    }

    [Fact]
    public async Task Refuse_BusyAndAnotherHasCapacity_PicksTheOther()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1 r2", max: 5).Publish();
        var lease = await world.Router("A").AcquireAsync(default);
        var refused = lease.Slot;
        lease.Refuse(gone: false);
        for (var i = 0; i < 5; i++)
            Assert.NotSame(refused, (await world.Router("A").ReacquireAsync(default)).Slot);
    }

    [Fact]
    public async Task Refuse_Gone_IsNotPickedUntilASnapshotContainsItAgain()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1", max: 5).Publish();
        var lease = await world.Router("A").AcquireAsync(default);
        lease.Refuse(gone: true);
        world.Clock.Advance(TimeSpan.FromSeconds(1));
        var again = world.Router("A").ReacquireAsync(default).AsTask();
        Assert.False(again.IsCompleted);

        world.Publish();

        await again.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Release_EarlierLeaseOnAGoneReplica_ReplicaIsNotPicked()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1", max: 5).Publish();
        var router = world.Router("A");
        var earlier = await router.AcquireAsync(default);
        (await router.AcquireAsync(default)).Refuse(gone: true);

        earlier.Release();

        Assert.False(router.TryAcquire(out _));
    }

    [Fact]
    public async Task ReacquireAsync_QueueFull_IsServedFirst()
    {
        using var world = new RoutingTestWorld().Deploy("a/A", "r1", max: 1, queue: 1).Publish();
        var router = world.Router("A");
        var held = await router.AcquireAsync(default);
        var waiter = router.AcquireAsync(default).AsTask();

        held.Refuse(gone: false);
        var readmitted = router.ReacquireAsync(default).AsTask();
        world.Clock.Advance(TimeSpan.FromMilliseconds(5));

        var lease = await readmitted.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.False(waiter.IsCompleted);
        lease.Release();
        await waiter.WaitAsync(TimeSpan.FromSeconds(20));
    }
}
