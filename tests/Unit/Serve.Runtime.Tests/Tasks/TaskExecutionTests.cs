
namespace Serve.Runtime.Tests.Tasks;

/// <summary>Arguments, errors, resources and order of tasks.</summary>
public sealed class TaskExecutionTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Run_TransitiveDependencyFails_FailsWithoutRunning(bool isOver)
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 2 });
        using var gate = new ManualResetEventSlim(isOver);
        var ran = 0;
        var last = ray.Run(Fail);
        var first = last;
        await Eventually.TrueAsync(() => first.IsReady == isOver);
        for (var i = 0; i < 10; i++)
        {
            last = ray.Run(x =>
            {
                Interlocked.Increment(ref ran);
                return x + 1;
            }, last, new() { Name = "dependent" });
        }

        gate.Set();
        var thrown = await Assert.ThrowsAsync<FormatException>(async () => await last);

        Assert.Same(await Record.ExceptionAsync(async () => await first), thrown);
        Assert.Contains(nameof(Run_TransitiveDependencyFails_FailsWithoutRunning), thrown.StackTrace, StringComparison.Ordinal);
        Assert.Equal(0, ran);
        var dependents = ray.ListTasks().Where(task => task.Name == "dependent").ToList();
        Assert.Equal(10, dependents.Count);
        Assert.All(dependents, task => Assert.Equal((TaskPhase.Failed, null), (task.State, task.StartTime)));

        int Fail()
        {
            gate.Wait(TimeSpan.FromSeconds(20));
            throw new FormatException("bad input");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Free_ReferenceKept_ValueIsCollected(bool isReady)
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        using var gate = new ManualResetEventSlim(isReady);
        WeakReference? value = null;
        var kept = ray.Run(Make);
        await Eventually.TrueAsync(() => kept.IsReady == isReady);
        ray.Free(kept);
        gate.Set();

        await Assert.ThrowsAsync<ObjectLostException>(async () => await kept);
        await Eventually.TrueAsync(() =>
        {
            GC.Collect();
            return value is { IsAlive: false };
        });
        GC.KeepAlive(kept);

        object Make()
        {
            gate.Wait(TimeSpan.FromSeconds(20));
            var made = new object();
            value = new(made);
            return made;
        }
    }

    [Fact]
    public async Task Free_BeforeReady_ValueIsNeverObservable()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        using var gate = new ManualResetEventSlim();
        var freed = ray.Run(() => gate.Wait(TimeSpan.FromSeconds(20)));
        var first = new ReadyProbeContinuation(freed);
        Assert.True(freed.TryAddContinuation(first));

        ray.Free(freed);
        gate.Set();

        await Assert.ThrowsAsync<ObjectLostException>(async () => await freed);
        Assert.True(first.SawFailure);
    }

    [Fact]
    public async Task Run_24BlockingCallsOn8Cpus_RunInThreeRounds()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 8 });
        using var rounds = new Barrier(8);
        var running = 0;
        var most = 0;
        var refs = Enumerable.Range(0, 24).Select(_ => ray.Run(() =>
        {
            var now = Interlocked.Increment(ref running);
            InterlockedMax(ref most, now);
            var together = rounds.SignalAndWait(TimeSpan.FromSeconds(20));
            Interlocked.Decrement(ref running);
            return together;
        })).ToArray();

        Assert.All(await ray.Get(refs), Assert.True);
        Assert.Equal(3, rounds.CurrentPhaseNumber);
        Assert.InRange(most, 8, 8);
    }

    [Fact]
    public async Task Remote_ImpossibleDemand_Throws()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 2 });

        var thrown = Assert.Throws<InsufficientResourcesException>(() => ray.Recursion.OnGpu.Remote(1));

        Assert.True(thrown.IsPermanent);
    }

    [Fact]
    public async Task Run_LargeDemandAmongSmallOnes_IsNotStarved()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 2 });
        using var go = new ManualResetEventSlim();
        var smallBefore = 0;
        var large = new TaskCompletionSource<int>();
        var refs = new List<ObjectRef<object?>>();
        for (var i = 0; i < 400; i++)
        {
            if (i == 20)
                refs.Add(ray.Run(() => large.SetResult(Volatile.Read(ref smallBefore)), new() { NumCpus = 2 }));
            refs.Add(ray.Run(() =>
            {
                go.Wait(TimeSpan.FromSeconds(20));
                Thread.SpinWait(1000);
                Interlocked.Increment(ref smallBefore);
            }));
        }

        go.Set();
        await ray.Get(refs);

        Assert.InRange(await large.Task, 18, 60);
    }

    [Fact]
    public async Task Run_Priorities_HighestFirstThenSubmissionOrder()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        using var go = new ManualResetEventSlim();
        var order = new List<int>();
        var refs = new List<ObjectRef<object?>> { ray.Run(() => { go.Wait(TimeSpan.FromSeconds(20)); }) };
        await Eventually.TrueAsync(() => ray.ListTasks().Any(task => task.State == TaskPhase.Running));
        for (var i = 0; i < 20; i++)
        {
            var which = i;
            refs.Add(ray.Run(() => order.Add(which), new() { Priority = which % 2 }));
        }

        go.Set();
        await ray.Get(refs);

        Assert.Equal([.. Enumerable.Range(0, 20).Where(i => i % 2 == 1), .. Enumerable.Range(0, 20).Where(i => i % 2 == 0)], order);
    }

    [Fact]
    public async Task AvailableResources_TasksRun_ExcludeReserved()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 4, NumGpus = 2 });
        using var go = new ManualResetEventSlim();
        var held = ray.Run(() => go.Wait(TimeSpan.FromSeconds(20)), new() { NumCpus = 1.5, NumGpus = 0.5 });
        await Eventually.TrueAsync(() => ray.AvailableResources["CPU"] == 2.5 && ray.AvailableResources["GPU"] == 1.5);

        go.Set();
        await held;

        await Eventually.TrueAsync(() => ray.AvailableResources["CPU"] == 4 && ray.AvailableResources["GPU"] == 2);
    }

    [Fact]
    public async Task ListTasks_TasksInEveryPhase_ReturnsPhases()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        using var go = new ManualResetEventSlim();
        var running = ray.Run(() => go.Wait(TimeSpan.FromSeconds(20)), new() { Name = "running" });
        _ = ray.Run(() => 1, new() { Name = "queued" });
        _ = ray.Run(ok => ok, running, new() { Name = "dependent" });
        await Eventually.TrueAsync(() => PhaseOf("running") == TaskPhase.Running);
        Assert.Equal(TaskPhase.PendingScheduling, PhaseOf("queued"));
        Assert.Equal(TaskPhase.PendingArguments, PhaseOf("dependent"));

        go.Set();

        await Eventually.TrueAsync(() => ray.ListTasks().All(task => task.State == TaskPhase.Finished && task.EndTime >= task.StartTime));
        Assert.Equal(3, ray.ListTasks().Count);

        TaskPhase PhaseOf(string name) => ray.ListTasks().Single(task => task.Name == name).State;
    }

    [Fact]
    public async Task ListTasks_MoreThanHistory_KeepsNewest()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1, TaskHistory = 100 });
        await ray.Get(Enumerable.Range(0, 500).Select(i => ray.Recursion.Increment.Remote(i)));

        var listed = ray.ListTasks();

        Assert.Equal(100, listed.Count);
        Assert.Equal(new ObjectId(500).ToString(), listed[^1].TaskId);
    }

    [Fact]
    public async Task Get_ReferencesDropped_MemoryIsFreed()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 2, TaskHistory = 10 });
        await RunManyAsync(1000);
        var before = GC.GetTotalMemory(true);

        await RunManyAsync(100_000);

        await Eventually.TrueAsync(() => GC.GetTotalMemory(true) - before < 1_000_000, () => $"{GC.GetTotalMemory(true) - before} bytes more");

        async Task RunManyAsync(int count)
        {
            using var submitted = new ManualResetEventSlim();
            var first = ray.Run(() => submitted.Wait(TimeSpan.FromSeconds(20)), new() { NumCpus = 2 });
            var refs = Enumerable.Range(0, count).Select(i => ray.Recursion.Increment.Remote(i)).ToArray();
            submitted.Set();
            await first;
            await ray.Get(refs);
        }
    }

    [Fact]
    public async Task Await_ReadyRef_AllocatesNothing()
    {
        await using var ray = await Cluster.Init();
        var ready = ray.Put("here");
        await GetAsync();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            if (!ray.Get(ready).IsCompletedSuccessfully)
                Assert.Fail("not at once");
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        async Task GetAsync() => Assert.Equal("here", await ready);
    }

    private static void InterlockedMax(ref int most, int now)
    {
        var seen = Volatile.Read(ref most);
        while (now > seen && Interlocked.CompareExchange(ref most, now, seen) is var other && other != seen)
            seen = other;
    }

    /// <summary>Reads an object as soon as it is ready.</summary>
    private sealed class ReadyProbeContinuation(ObjectRef reference) : ObjectRefContinuation
    {
        public bool SawFailure { get; private set; }

        public override void Run() => SawFailure = reference.IsFaulted;
    }
}
