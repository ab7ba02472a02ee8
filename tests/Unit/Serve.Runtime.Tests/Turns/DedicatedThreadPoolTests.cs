using Serve.Runtime.Tests.Testing;
using Serve.Runtime.Turns;

namespace Serve.Runtime.Tests.Turns;

public sealed class DedicatedThreadPoolTests
{
    [Fact]
    public async Task Run_AsMuchWorkAsComes_RunsAllOfItAtOnce()
    {
        var threads = new DedicatedThreadPool();
        using var all = new Barrier(17);
        for (var i = 0; i < 16; i++)
            threads.Run(state => ((Barrier)state!).SignalAndWait(), all);
        await Task.Run(() => Assert.True(all.SignalAndWait(Eventually.Bound)));
    }

    [Fact]
    public async Task Run_OneAfterTheOther_ReusesTheThread()
    {
        var threads = new DedicatedThreadPool();
        var seen = new HashSet<int>();
        for (var i = 0; i < 20; i++)
        {
            var done = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
            threads.Run(state => ((TaskCompletionSource<int>)state!).SetResult(Environment.CurrentManagedThreadId), done);
            seen.Add(await done.Task.SoonAsync());
        }

        // A thread that has not yet gone back to waiting is not waited for.
        Assert.InRange(seen.Count, 1, 6);
    }

    [Fact]
    public async Task Run_FromManyThreads_LosesNothing()
    {
        var threads = new DedicatedThreadPool();
        var count = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 2_000; i++)
                threads.Run(_ => Interlocked.Increment(ref count), null);
        })));
        await Eventually.TrueAsync(() => count == 8_000, () => $"{count}");
    }
}
