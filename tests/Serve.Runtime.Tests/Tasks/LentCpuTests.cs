using Serve.Runtime.Clusters;
using Serve.Runtime.Tasks;
using Serve.Runtime.TestWorker;
using Serve.Tests;

namespace Serve.Runtime.Tests.Tasks;

/// <summary>The CPU of tasks in workers that wait, moved step by step.</summary>
public sealed class LentCpuTests
{
    [Fact]
    public async Task TryGiveBack_OfTheOneBehindATaskThatWaits_LendsTheirCpu()
    {
        await using var ray = new HeadCluster(new() { NumCpus = 1, Isolation = Isolation.Process });
        var workers = new FakeExecutor();
        ray.Tasks.UseWorkers(() => workers);
        var refs = Enumerable.Range(0, 3).Select(number => ray.Jobs.Add.Remote(number, 1)).ToArray();
        await Eventually.True(() => workers.Started.Count == 1);
        workers.Depth = 2;
        workers.Started.First().Failed(new InvalidOperationException("It makes room for two."), isSystem: false);
        await Eventually.True(() => workers.Started.Count == 3);
        var (waits, quick) = (workers.Started.ElementAt(1), workers.Started.ElementAt(2));
        Assert.Same(waits.Lane, quick.Lane);

        TaskDispatcher.BeginWait(waits, [ray.Put(1)], isStuck: false);
        Assert.Equal(0, ray.AvailableResources["CPU"]);
        workers.Depth = 1;
        Assert.True(quick.TryGiveBack());

        // It runs with the CPU that nobody uses now, in a lane of its own.
        await Eventually.True(() => workers.Started.Count == 4);
        Assert.Same(quick, workers.Started.ElementAt(3));
        Assert.NotSame(waits.Lane, quick.Lane);
        GC.KeepAlive(refs);
    }
}
