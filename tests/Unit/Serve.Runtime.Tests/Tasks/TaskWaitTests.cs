using Serve.Runtime.Clusters;
using Serve.Runtime.Workers.Processes;

namespace Serve.Runtime.Tests.Tasks;

/// <summary>Waiting tasks: release of their CPU, nested tasks, deadlocks.</summary>
public sealed class TaskWaitTests
{
    [Fact]
    public async Task BlockingRecursion_OneCpu_Completes()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        Assert.Equal(610, await ray.Recursion.Fib.Remote(15));
    }

    [Fact]
    public async Task Wait_NoReferences_ReturnsAtOnce()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        var (ready, pending) = await ray.Wait<int>([], numReturns: 2);
        Assert.Empty(ready);
        Assert.Empty(pending);
    }

    [Fact]
    public async Task AsyncRecursion_OneCpu_Completes()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        Assert.Equal(610, await ray.Recursion.FibAsync.Remote(15));
    }

    [Fact]
    public async Task BlockingRecursion_1500LevelsOnOneCpu_Completes()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        Assert.Equal(1500, await ray.Recursion.Deep.Remote(1500));
    }

    [Fact]
    public async Task BlockingRecursion_300ThreadsOnOneCpu_Completes()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        Assert.Equal(300, await ray.Recursion.DeepOnThreads.Remote(300));
        await Eventually.TrueAsync(() => ray.AvailableResources["CPU"] == 1);
    }

    [Fact]
    public async Task Get_InsideTask_ResumesOnlyWithCpu()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        var awaited = new TaskCompletionSource<int>();
        var running = 0;
        var most = 0;
        var slow = ray.Run(() => awaited.Task, new() { NumCpus = 0 });
        var waiting = Enumerable.Range(0, 8).Select(_ => ray.Run(async () =>
        {
            await slow;
            most = Math.Max(most, Interlocked.Increment(ref running));
            Thread.SpinWait(200_000);
            Interlocked.Decrement(ref running);
        })).ToArray();
        await Eventually.TrueAsync(() => ray.ListTasks().Count(task => task.State == TaskPhase.Waiting) == 8);
        Assert.Equal(1, ray.AvailableResources["CPU"]);

        awaited.SetResult(1);
        await ray.Get(waiting);

        Assert.Equal(1, most);
    }

    [Fact]
    public async Task Await_CpuNotReacquired_NoOtherTaskStarts()
    {
        await using var ray = new DriverCluster(new() { NumCpus = 2 }, ProgramWorkerLauncher.StartWorkers);
        var ledger = ray.Ledgers.GetLedgers(null)[0];
        var one = ResourceDemand.None.With(ResourceDemand.Cpu, 1);
        var awaited = new TaskCompletionSource<int>();
        var slow = ray.Run(() => awaited.Task, new() { NumCpus = 0 });
        var returns = ray.Run(async () => await slow, new() { NumCpus = 2 });
        await Eventually.TrueAsync(() => ray.ListTasks().Any(task => task.State == TaskPhase.Waiting) && ray.AvailableResources["CPU"] == 2);
        Assert.True(ledger.TryReserve(one, out var held));
        awaited.SetResult(7);
        await Eventually.TrueAsync(() => ray.Tasks.MustYield(new(ray.Tasks, one, [ledger], 0, runsInWorker: false)));

        using var gate = new ManualResetEventSlim();
        var later = ray.Run(() => gate.Wait(TimeSpan.FromSeconds(20)));
        Assert.Equal(1, ray.AvailableResources["CPU"]);
        Assert.Equal(3, await ray.Run(static () => 3, new() { NumCpus = 0 }).AsTask().WaitAsync(TimeSpan.FromSeconds(20)));
        ledger.Release(held!);
        Assert.Equal(7, await returns.AsTask().WaitAsync(TimeSpan.FromSeconds(20)));
        gate.Set();
        Assert.True(await later.AsTask().WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task Get_TwoTasksWaitForEachOther_DeadlockNamesCycle()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 4 });
        var refs = new ObjectRef<int>[2];
        using var both = new ManualResetEventSlim();
        refs[0] = ray.Run(() => WaitFor(1), new() { Name = "one" });
        refs[1] = ray.Run(() => WaitFor(0), new() { Name = "two" });
        both.Set();

        var errors = await Task.WhenAll(refs.Select(reference => Record.ExceptionAsync(async () => await reference)));

        Assert.All(errors, error => Assert.IsType<DeadlockException>(error));
        Assert.Matches(@"task (one|two) \(\w+\) waits for task (one|two) \(\w+\)\r?\n.*task (one|two) \(\w+\) waits for task (one|two)", errors[0]!.Message);

        int WaitFor(int other)
        {
            both.Wait(TimeSpan.FromSeconds(20));
            return refs[other].GetResult();
        }
    }

    [Fact]
    public async Task Await_TwoAsyncTasksWaitForEachOther_Deadlock()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        var refs = new ObjectRef<int>[2];
        using var both = new ManualResetEventSlim();
        refs[0] = ray.Run(async () =>
        {
            both.Wait(TimeSpan.FromSeconds(20));
            return await refs[1];
        });
        refs[1] = ray.Run(async () => await refs[0]);
        both.Set();

        Assert.IsType<DeadlockException>(await Record.ExceptionAsync(async () => await refs[0]));
    }

    [Fact]
    public async Task Get_OwnReference_Deadlock()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        using var made = new ManualResetEventSlim();
        ObjectRef<int>? own = null;
        own = ray.Run(() =>
        {
            made.Wait(TimeSpan.FromSeconds(20));
            return own!.GetResult();
        });
        made.Set();

        Assert.IsType<DeadlockException>(await Record.ExceptionAsync(async () => await own));
    }

    [Fact]
    public async Task Get_InlineTaskWaitsForOuterTask_Deadlock()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        using var made = new ManualResetEventSlim();
        ObjectRef<int>? own = null;
        own = ray.Run(() =>
        {
            made.Wait(TimeSpan.FromSeconds(20));
            return ray.Run(() => own!.GetResult()).GetResult();
        });
        made.Set();

        Assert.IsType<DeadlockException>(await Record.ExceptionAsync(async () => await own.AsTask().WaitAsync(TimeSpan.FromSeconds(20))));
    }

    [Fact]
    public async Task Get_TaskWaitsForItsDependent_Deadlock()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 2 });
        using var made = new ManualResetEventSlim();
        ObjectRef<int>? dependent = null;
        var first = ray.Run(() =>
        {
            made.Wait(TimeSpan.FromSeconds(20));
            return dependent!.GetResult();
        });
        dependent = ray.Run(x => x + 1, first);
        made.Set();

        Assert.IsType<DeadlockException>(await Record.ExceptionAsync(async () => await first));
    }

    [Fact]
    public async Task Get_SlowThirdTask_NoDeadlock()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 4 });
        var third = new TaskCompletionSource<int>();
        var slow = ray.Run(() => third.Task);
        ObjectRef<int>? second = null;
        using var made = new ManualResetEventSlim();
        var first = ray.Run(async () =>
        {
            made.Wait(TimeSpan.FromSeconds(20));

            // The second task waits for this one; but the third one completes first.
            var either = await Task.WhenAny(second!.AsTask(), slow.AsTask());
            return await either;
        });
        second = ray.Run(() => first.GetResult() + 1);
        made.Set();
        await Eventually.TrueAsync(() => ray.ListTasks().Count(task => task.State == TaskPhase.Waiting) == 2);

        third.SetResult(5);

        Assert.Equal(5, await first);
        Assert.Equal(6, await second);
    }

    [Fact]
    public async Task Wait_OneOfTwoCanComplete_NoDeadlock()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 4 });
        var third = new TaskCompletionSource<int>();
        var slow = ray.Run(() => third.Task);
        ObjectRef<int>? second = null;
        using var made = new ManualResetEventSlim();
        var first = ray.Run(() =>
        {
            made.Wait(TimeSpan.FromSeconds(20));
            return ray.Wait([second!, slow]).GetAwaiter().GetResult().Ready[0].GetResult();
        });
        second = ray.Run(() => first.GetResult() + 1);
        made.Set();
        await Eventually.TrueAsync(() => ray.ListTasks().Count(task => task.State == TaskPhase.Waiting) == 2);

        third.SetResult(5);

        Assert.Equal(5, await first);
        Assert.Equal(6, await second);
    }

    [Fact]
    public async Task GetResult_TimeoutInCycle_ThrowsTimeout()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 4 });
        using var made = new ManualResetEventSlim();
        ObjectRef<int>? second = null;
        var first = ray.Run(() =>
        {
            made.Wait(TimeSpan.FromSeconds(20));
            try
            {
                return second!.GetResult(TimeSpan.FromMilliseconds(50));
            }
            catch (TimeoutException)
            {
                return 7;
            }
        });
        second = ray.Run(() => first.GetResult());
        made.Set();

        Assert.Equal(7, await second);
    }
}
