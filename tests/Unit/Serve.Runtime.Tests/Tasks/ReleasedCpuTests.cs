using System.Collections.Immutable;
using Serve.Runtime.Clusters;
using Serve.Runtime.Tasks;
using Serve.Runtime.TestWorker;
using Serve.Runtime.Workers.Processes;

namespace Serve.Runtime.Tests.Tasks;

/// <summary>Release and reacquisition of the CPU of waiting tasks in workers, step by step.</summary>
public sealed class ReleasedCpuTests
{
    [Fact]
    public async Task TryRequeue_TaskBehindWaitingTask_ReleasesCpu()
    {
        await using var ray = new DriverCluster(new() { NumCpus = 1, Isolation = Isolation.Process }, ProgramWorkerLauncher.StartWorkers);
        var workers = new FakeTaskExecutor();
        ray.Tasks.SetWorkerFactory(() => workers);
        var refs = Enumerable.Range(0, 3).Select(number => ray.Jobs.Add.Remote(number, 1)).ToArray();
        await Eventually.TrueAsync(() => workers.Started.Count == 1);
        workers.Depth = 2;
        workers.Started.First().ReportFailure(new InvalidOperationException("It makes room for two."), isSystem: false);
        await Eventually.TrueAsync(() => workers.Started.Count == 3);
        var (waits, quick) = (workers.Started.ElementAt(1), workers.Started.ElementAt(2));
        Assert.Same(waits.Pipeline, quick.Pipeline);

        waits.Context!.BeginWait([ray.Put(1)], 1, flow: null);
        Assert.Equal(0, ray.AvailableResources["CPU"]);
        workers.Depth = 1;
        Assert.True(quick.TryRequeue());

        // It runs with the released CPU, in a pipeline of its own.
        await Eventually.TrueAsync(() => workers.Started.Count == 4);
        Assert.Same(quick, workers.Started.ElementAt(3));
        Assert.NotSame(waits.Pipeline, quick.Pipeline);
        GC.KeepAlive(refs);
    }

    [Fact]
    public async Task Wait_ForTaskServedAfterPipelineNeighbor_IsNoDeadlock()
    {
        var slot = new Dictionary<string, double> { ["slot"] = 1 }.ToImmutableDictionary();
        await using var ray = new DriverCluster(new() { NumCpus = 1, Isolation = Isolation.Process, Resources = slot }, ProgramWorkerLauncher.StartWorkers);
        var workers = new FakeTaskExecutor();
        ray.Tasks.SetWorkerFactory(() => workers);
        var options = new TaskOptions { NumCpus = 0, Resources = slot };
        var refs = Enumerable.Range(0, 3).Select(number => ray.Jobs.Add.Options(options).Remote(number, 1)).ToArray();
        await Eventually.TrueAsync(() => workers.Started.Count == 1);
        workers.Depth = 2;
        workers.Started.First().ReportFailure(new InvalidOperationException("It makes room for two."), isSystem: false);
        await Eventually.TrueAsync(() => workers.Started.Count == 3);
        var (waits, beside) = (workers.Started.ElementAt(1), workers.Started.ElementAt(2));
        var wanted = ray.Jobs.Add.Options(options).Remote(7, 7);

        waits.Context!.BeginWait([wanted], 1, ObjectRefWait.Thread);

        // A deadlock that exists now is reported; the other wait is none.
        ObjectRef<int>? own = null;
        var made = new TaskCompletionSource();
        own = ray.Run(async () =>
        {
            await made.Task;
            return await own!;
        }, new() { Isolation = Isolation.None });
        made.SetResult();
        await Assert.ThrowsAsync<DeadlockException>(async () => await own);
        Assert.False(wanted.IsReady);

        beside.ReportFailure(new InvalidOperationException("Makes way for the awaited task."), isSystem: false);
        await Eventually.TrueAsync(() => workers.Started.Count == 4);
        Assert.Equal(wanted.Id, workers.Started.ElementAt(3).Id);
        GC.KeepAlive(refs);
    }
}
