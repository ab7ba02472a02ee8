using CsCheck;
using Serve.Calls;

namespace Serve.Routing.Tests;

public sealed class AdmissionUrgencyTests : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);
    private readonly RoutingTestWorld _world = new();

    public void Dispose() => _world.Dispose();

    private DeploymentRouter Router => _world.Router("A");

    [Fact]
    public async Task AcquireAsync_HigherPriority_LeavesTheQueueFirst()
    {
        _world.Deploy("a/A", "r1").Publish();
        var held = await Acquire(0);
        var waiters = ((int[])[0, -10, 5, 0, 5]).Select(Acquire).ToArray();

        var order = await ServeAllAsync(held, waiters);
        Assert.Equal([2, 4, 0, 3, 1], order);
    }

    [Fact]
    public async Task AcquireAsync_ManyOfHighPriority_LowerOnesDoNotStarve()
    {
        _world.Deploy("a/A", "r1").Publish();
        var held = await Acquire(0);
        var waiters = ((int[])[-1, .. Enumerable.Repeat(9, 40)]).Select(Acquire).ToArray();

        Assert.InRange(Array.IndexOf(await ServeAllAsync(held, waiters), 0), 10, 16);
    }

    [Fact]
    public async Task AcquireAsync_FullQueue_DropsTheNewestOfTheLowestPriority()
    {
        _world.Deploy("a/A", "r1", queue: 3).Publish();
        var held = await Acquire(0);
        var (older, newer, high) = (Acquire(-1), Acquire(-1), Acquire(2));

        var same = await Assert.ThrowsAsync<OverloadedException>(() => Acquire(-1).WaitAsync(Bound));
        var higher = Acquire(0);

        Assert.Contains("the queue is full", same.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<OverloadedException>(() => newer.WaitAsync(Bound));
        var order = await ServeAllAsync(held, [older, higher, high]);
        Assert.Equal([2, 1, 0], order);
    }

    [Fact]
    public async Task AcquireAsync_DeadlinePassesInTheQueue_IsRefusedAndTheNextIsServed()
    {
        _world.Deploy("a/A", "r1").Publish();
        var held = await Acquire(0);
        var (late, next) = (Acquire(0, TimeSpan.FromSeconds(1)), Acquire(0));
        _world.Clock.Advance(TimeSpan.FromSeconds(2));

        held.Release();

        await Assert.ThrowsAsync<DeadlineUnmeetableException>(() => late.WaitAsync(Bound));
        (await next.WaitAsync(Bound)).Release();
        Assert.Equal(0, Router.Replicas[0].Ongoing);
    }

    [Fact]
    public async Task AcquireAsync_DeadlineBeforeTheQueueIsServed_IsRefusedAtOnce()
    {
        _world.Deploy("a/A", "r1").Publish();
        var held = await Acquire(0);
        var waiters = Enumerable.Range(0, 30).Select(_ => Acquire(0)).ToArray();
        foreach (var served in waiters.Take(20))
        {
            _world.Clock.Advance(TimeSpan.FromMilliseconds(100));
            held.Release();
            held = await served.WaitAsync(Bound);
        }

        // 10 requests wait and 1 is served, at 100 ms each.
        await Assert.ThrowsAsync<DeadlineUnmeetableException>(() => Acquire(0, TimeSpan.FromMilliseconds(900)).WaitAsync(Bound));
        var enough = Acquire(0, TimeSpan.FromMilliseconds(1200));
        var preferred = Acquire(1, TimeSpan.FromMilliseconds(200));
        Assert.False(enough.IsCompleted);
        Assert.Equal(11, (await ServeAllAsync(held, [.. waiters.Skip(20), enough, preferred])).First());
    }

    [Fact]
    public async Task AcquireAsync_PriorityOfARequestForAModel_CountsAcrossModels()
    {
        _world.Deploy("a/A", "r1").Publish();
        _world.Table.ApplyModelReports(new("n1"), new(1, 1), new Dictionary<string, Routes.ReplicaModelReport> { ["r1"] = new() { MaxModels = 5, Sequence = 1 } });
        var held = await Acquire(0);
        var waiters = ((string Model, int Priority)[])[("m", 0), ("n", 3), ("m", 5)];
        var waiting = waiters.Select(wanted => Router.AcquireAsync(
            new RoutingRequest { MultiplexedModelId = wanted.Model, Urgency = new(0, wanted.Priority) }, default).AsTask()).ToArray();
        _world.Clock.Advance(TimeSpan.FromSeconds(5));

        var order = await ServeAllAsync(held, waiting);
        Assert.Equal([2, 1, 0], order);
    }

    [Fact]
    public void AcquireAsync_RandomPrioritiesDeadlinesAndCancellations_EveryRequestEndsOnce() =>
        Gen.Select(Gen.Int[0, 5], Gen.Int[-10, 10], Gen.Int[0, 4]).List[1, 80].Sample(
            steps =>
            {
                using var world = new RoutingTestWorld().Deploy("a/A", "r1 r2", queue: 6).Publish();
                var router = world.Router("A");
                List<(Task<ReplicaLease> Task, CancellationTokenSource Stop)> all = [];
                HashSet<Task<ReplicaLease>> released = [];
                foreach (var (action, priority, time) in steps)
                {
                    world.Clock.Advance(TimeSpan.FromMilliseconds(100 * time));
                    if (action == 0 && all.Count > 0)
                    {
                        all[^1].Stop.Cancel();
                    }
                    else if (action == 1 && all.Find(each => each.Task.IsCompletedSuccessfully && !released.Contains(each.Task)) is { Task: { } held })
                    {
                        released.Add(held);
                        held.Result.Release();
                    }
                    else
                    {
                        var stop = new CancellationTokenSource();
                        var urgency = new CallUrgency(0, priority);
                        urgency = time == 4 ? urgency.Within(TimeSpan.FromMilliseconds(150), world.Clock) : urgency;
                        all.Add((router.AcquireAsync(new RoutingRequest { Urgency = urgency }, stop.Token).AsTask(), stop));
                    }

                    Assert.InRange(router.Queued, 0, 6);
                }

                while (!all.TrueForAll(each => released.Contains(each.Task) || each.Task.IsFaulted || each.Task.IsCanceled))
                {
                    Task<ReplicaLease>? held = null;
                    Assert.True(SpinWait.SpinUntil(
                        () => (held = all.Find(each => each.Task.IsCompletedSuccessfully && !released.Contains(each.Task)).Task) is not null || all.TrueForAll(each => each.Task.IsCompleted), Bound));
                    if (held is not null && released.Add(held))
                        held.Result.Release();
                }

                Assert.Equal(0, router.Queued);
                Assert.All(router.Replicas, slot => Assert.Equal(0, slot.Ongoing));
                all.ForEach(each => each.Stop.Dispose());
            },
            iter: 50);

    private Task<ReplicaLease> Acquire(int priority) => Router.AcquireAsync(new RoutingRequest { Urgency = new(0, priority) }, default).AsTask();

    private Task<ReplicaLease> Acquire(int priority, TimeSpan timeout) =>
        Router.AcquireAsync(new RoutingRequest { Urgency = new CallUrgency(0, priority).Within(timeout, _world.Clock) }, default).AsTask();

    /// <summary>Returns leases one by one, and the order in which the waiters received one.</summary>
    private static async Task<int[]> ServeAllAsync(ReplicaLease held, Task<ReplicaLease>[] waiters)
    {
        List<int> order = [];
        while (order.Count < waiters.Length)
        {
            held.Release();
            held = await await Task.WhenAny(waiters.Where((_, i) => !order.Contains(i))).WaitAsync(Bound);
            order.Add(Array.FindIndex(waiters, waiter => waiter.IsCompleted && !order.Contains(Array.IndexOf(waiters, waiter))));
        }

        held.Release();
        return [.. order];
    }
}
