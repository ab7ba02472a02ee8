
namespace Serve.Runtime.Tests.Tasks;

/// <summary>Retries, timeouts, cancellation and disposal of the cluster.</summary>
public sealed class TaskEndTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task RetryOn_MatchingException_RetriesTask()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        var runs = 0;

        Assert.Equal(3, await ray.Recursion.Flaky.Remote(Recursion.Hook(_ => ++runs < 3 ? throw new FileNotFoundException("not yet") : runs)));
        Assert.Equal(3, ray.ListTasks().Single().Attempt);
    }

    [Fact]
    public async Task RetryOn_NoRetriesLeftOrOtherException_Fails()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        var runs = 0;
        await Assert.ThrowsAsync<IOException>(async () => await ray.Recursion.Flaky.Remote(Recursion.Hook(_ =>
        {
            runs++;
            throw new IOException("never");
        })));
        Assert.Equal(3, runs);

        await Assert.ThrowsAsync<FormatException>(async () => await ray.Recursion.Flaky.Remote(Recursion.Hook(_ =>
        {
            runs++;
            throw new FormatException("not this one");
        })));
        Assert.Equal(4, runs);
    }

    [Fact]
    public async Task RetryOn_Predicate_DecidesByException()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        var runs = 0;

        var result = await ray.Run(() => ++runs < 2 ? throw new FormatException("once") : runs, new() { RetryOn = thrown => thrown is FormatException });

        Assert.Equal(2, result);
    }

    [Fact]
    public async Task Timeout_Exceeded_FailsAndCancelsToken()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        var told = new TaskCompletionSource();
        var late = ray.Run(async stop =>
        {
            stop.Register(told.SetResult);
            await Task.Delay(Timeout.Infinite, stop);
        }, new() { Timeout = TimeSpan.FromMilliseconds(30) });

        await Assert.ThrowsAsync<RequestTimeoutException>(async () => await late);
        await told.Task.WaitAsync(Bound);
        await Eventually.TrueAsync(() => ray.AvailableResources["CPU"] == 1);
    }

    [Fact]
    public async Task Timeout_Exceeded_CancelsChildren()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 2 });
        var started = new TaskCompletionSource<ObjectRef<bool>>();
        var late = ray.Run(() =>
        {
            var child = Cluster.Current.Run(stop => stop.WaitHandle.WaitOne(Bound));
            started.SetResult(child);
            return child.GetResult(Bound);
        }, new() { Timeout = TimeSpan.FromSeconds(1) });

        var child = await started.Task.WaitAsync(Bound);

        await Assert.ThrowsAsync<RequestTimeoutException>(async () => await late);
        await Assert.ThrowsAsync<OperationCanceledException>(async () => await child);
    }

    [Fact]
    public async Task Cancel_NotStarted_NeverRuns()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        using var go = new ManualResetEventSlim();
        var ran = false;
        var first = ray.Run(() => go.Wait(Bound));
        var queued = ray.Run(() => ran = true);
        var dependent = ray.Run(_ => ran = true, first);

        ray.Cancel(queued);
        ray.Cancel(dependent);
        go.Set();

        await Assert.ThrowsAsync<OperationCanceledException>(async () => await queued);
        await Assert.ThrowsAsync<OperationCanceledException>(async () => await dependent);
        await first;
        await ray.Run(() => 1);
        Assert.False(ran);
        Assert.Equal(2, ray.ListTasks().Count(task => task.State == TaskPhase.Cancelled));
    }

    [Fact]
    public async Task Cancel_Running_CancelsTokenAndReleasesCpuWhenItReturns()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        using var started = new ManualResetEventSlim();
        var running = ray.Run(stop =>
        {
            started.Set();
            stop.WaitHandle.WaitOne(Bound);
            stop.ThrowIfCancellationRequested();
            return 1;
        });
        Assert.True(started.Wait(Bound));

        ray.Cancel(running);

        await Assert.ThrowsAsync<OperationCanceledException>(async () => await running);
        Assert.Equal(2, await ray.Run(() => 2));
        await Eventually.TrueAsync(() => ray.ListTasks().Any(task => task.State == TaskPhase.Cancelled));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cancel_Recursive_CancelsChildren(bool recursive)
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 4 });
        using var started = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        ObjectRef<bool>? child = null;
        var parent = ray.Run(() =>
        {
            child = Cluster.Current.Run(stop => WaitHandle.WaitAny([stop.WaitHandle, go.WaitHandle], Bound) == 1);
            started.Set();
            return child.GetResult(Bound);
        });
        Assert.True(started.Wait(Bound));

        ray.Cancel(parent, recursive: recursive);
        go.Set();

        await Assert.ThrowsAsync<OperationCanceledException>(async () => await parent);
        if (recursive)
            await Assert.ThrowsAsync<OperationCanceledException>(async () => await child!);
        else
            Assert.True(await child!);
    }

    [Fact]
    public async Task Dispose_UnfinishedTasks_FailAndThreadsExit()
    {
        var ray = await Cluster.Init(new() { NumCpus = 2 });
        using var started = new CountdownEvent(2);
        var running = Enumerable.Range(0, 2).Select(_ => ray.Run(stop =>
        {
            started.Signal();
            stop.WaitHandle.WaitOne(Bound);
            return 1;
        })).ToArray();
        var queued = ray.Run(() => 1);
        var waiting = queued.AsTask();
        Assert.True(started.Wait(Bound));

        await ray.DisposeAsync();

        var ended = await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.WaitAsync(Bound));
        Assert.StartsWith("The cluster was disposed before the task finished.", ended.Message, StringComparison.Ordinal);
        var late = await Assert.ThrowsAsync<ObjectDisposedException>(async () => await running[0]);
        Assert.StartsWith("The cluster was disposed.", late.Message, StringComparison.Ordinal);
        Assert.Equal(nameof(Cluster), late.ObjectName);
        Assert.Throws<ObjectDisposedException>(() => ray.Run(() => 1));
        Assert.Equal(0, ((Serve.Runtime.Clusters.RuntimeCluster)ray).Threads!.ThreadCount);
    }
}
