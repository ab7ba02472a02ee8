namespace Serve.Routing.Tests;

public sealed class RouterConcurrencyTests
{
    [Fact]
    public async Task InvokeAsync_ConcurrentCallsRefusalsCancellationsAndSnapshots_NoLeaseIsLost()
    {
        using var world = new RoutingTestWorld(TimeProvider.System);
        // Each replica refuses more than 3 requests while the limit of the router is 4, as if another router used it too.
        foreach (var id in new[] { "r1", "r2", "r3", "r4" })
            world.Replica(new FakeReplicaTarget(id, limit: 3) { Work = call => call % 3 == 0 ? Task.Delay(1) : Task.Run(() => { }) });
        world.Deploy("a/A", "r1 r2 r3", max: 4).Publish();
        using var stop = new CancellationTokenSource();
        var rollouts = Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                world.Deploy("a/A", (i % 3) switch { 0 => "r1 r2 r4", 1 => "r4", _ => "r1 r2 r3" }, max: 4).Publish();
                await Task.Delay(1);
            }
        });

        var canceled = 0;
        var callers = Enumerable.Range(0, 64).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; i < 200; i++)
            {
                using var timeout = new CancellationTokenSource();
                if ((caller + i) % 7 == 0)
                    timeout.CancelAfter(1);
                try
                {
                    await world.Call("A", stop: timeout.Token);
                }
                catch (OperationCanceledException) when (timeout.IsCancellationRequested)
                {
                    Interlocked.Increment(ref canceled);
                }
            }
        })).ToArray();

        await Task.WhenAll(callers).WaitAsync(TimeSpan.FromSeconds(60));
        await stop.CancelAsync();
        await rollouts;
        world.Deploy("a/A", "r1 r2 r3 r4", max: 4).Publish();
        Assert.Equal(0, world.Router("A").Queued);
        Assert.All(world.Router("A").Replicas, slot => Assert.Equal(0, slot.Ongoing));
        Assert.All(new[] { "r1", "r2", "r3", "r4" }, id => Assert.InRange(world[id].MostOngoing, 1, 3));
    }

    [Fact]
    public async Task AcquireAsync_OneReplicaAndConcurrentCallers_NoWakeUpIsLost()
    {
        using var world = new RoutingTestWorld(TimeProvider.System).Deploy("a/A", "r1", max: 1).Publish();
        var router = world.Router("A");
        var inside = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 20_000; i++)
            {
                var lease = await router.AcquireAsync(default);
                Assert.Equal(1, Interlocked.Increment(ref inside));
                Interlocked.Decrement(ref inside);
                lease.Release();
            }
        }))).WaitAsync(TimeSpan.FromSeconds(60));
    }
}
