using Serve.Runtime.Clusters;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Tests.Tasks;

public sealed class PlacementGroupWaitTests
{
    [Fact]
    public async Task Begin_GroupBecomesReady_CodeContinuesAfterItsWaitHasEnded()
    {
        await using var ray = new DriverCluster(new() { NumCpus = 1, Observable = false });
        var context = new GatedTaskContext(ray);
        var reserved = new TaskCompletionSource();
        var before = TaskContext.SetOnThread(context);
        var ready = PlacementGroupWait.Begin(reserved.Task);
        TaskContext.SetOnThread(before);

        _ = Task.Run(reserved.SetResult);
        await context.Ending.Task.SoonAsync();

        // Code that continued now would find its own CPU among the free ones.
        Assert.False(ready.IsCompleted);
        context.Gate.SetResult();
        await ready.SoonAsync();
        Assert.False(context.IsWaiting);
    }

    [Fact]
    public async Task Dispose_TaskWaitsWithoutItsCpu_ReservesNothingInTheSharedLedger()
    {
        var ledger = new ResourceLedger(ResourceDemand.None.With(ResourceDemand.Cpu, 1));
        var ray = new DriverCluster(new() { NumCpus = 1, Observable = false }, ledger: ledger);
        var value = new TaskCompletionSource<int>();
        var inner = ray.Run(() => value.Task, new() { NumCpus = 0 });
        var waiting = new TaskCompletionSource();
        var ended = new TaskCompletionSource();
        var outer = ray.Run(async () =>
        {
            try
            {
                waiting.SetResult();
                return await inner;
            }
            finally
            {
                ended.SetResult();
            }
        });
        await waiting.Task.SoonAsync();
        await Eventually.TrueAsync(() => ledger.Free(ResourceDemand.Cpu) == ResourceDemand.UnitsPerOne);

        var returned = 0;
        ledger.Released += () => Interlocked.Increment(ref returned);
        await ray.DisposeAsync();
        value.SetResult(1);
        await ended.Task.SoonAsync();

        // By both tasks.
        await Eventually.TrueAsync(() => returned >= 2);
        Assert.Equal(ResourceDemand.UnitsPerOne, ledger.Free(ResourceDemand.Cpu));
        GC.KeepAlive(outer);
    }

    private sealed class GatedTaskContext(Cluster cluster) : TaskContext
    {
        public TaskCompletionSource Ending { get; } = new();

        public TaskCompletionSource Gate { get; } = new();

        public override Cluster Cluster => cluster;

        public override ObjectId TaskId => new(1);

        protected override void OnWaitEnded(ObjectRefWait wait)
        {
            Ending.SetResult();
            Gate.Task.Wait();
        }
    }
}
