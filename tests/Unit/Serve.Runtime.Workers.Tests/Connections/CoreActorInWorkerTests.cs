using System.Diagnostics;
using Serve.Runtime.Testing;
using Serve.Runtime.TestWorker;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Tests.Connections;

public sealed class CoreActorInWorkerTests : IAsyncLifetime
{
    private static readonly ActorOptions Apart = new() { Isolation = Isolation.Process };
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("serve-worker-actor-tests");
    private Cluster _ray = null!;

    public async Task InitializeAsync() => _ray = await Cluster.Init(new() { NumCpus = 2, WorkerCommand = [LocalAgentFixture.Executable, "worker"] });

    public async Task DisposeAsync()
    {
        await _ray.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Remote_InAWorker_CallsRunThereInOrder()
    {
        var actor = _ray.CountActor.Options(Apart).Remote(_ray.Put(10));
        Assert.NotEqual(Environment.ProcessId, await actor.Pid.Remote());
        Assert.Equal(Enumerable.Range(11, 2000), await _ray.Get(Enumerable.Range(0, 2000).Select(_ => actor.Increment.Remote(1)).ToArray()));
        Assert.Equal(2110, await actor.Increment.Remote(_ray.Put(100)));
        var state = Assert.Single(_ray.ListActors());
        Assert.NotNull(state.WorkerId);
        Assert.Equal(await actor.Pid.Remote(), state.Pid);
    }

    [Fact]
    public async Task Remote_WorkerThatDoesNotRead_CallsWaitUnserialized()
    {
        const int Calls = 10_000;
        var text = new string('x', 4096);
        var actor = _ray.CountActor.Options(Apart).Remote();
        var pid = await actor.Pid.Remote();
        var waits = TransportMetrics.ProducerWaits;
        await SignalAsync(pid, "STOP");
        ObjectRef<int>[] lengths;
        try
        {
            lengths = [.. Enumerable.Range(0, Calls).Select(_ => actor.Measure.Remote(text))];
            await Eventually.TrueAsync(() => TransportMetrics.ProducerWaits > waits, () => $"{TransportMetrics.QueuedBytes} bytes queued");

            // Of 40 MB.
            Assert.InRange(TransportMetrics.QueuedBytes, 1, 3 * OutboundFrameQueue.Capacity);
        }
        finally
        {
            await SignalAsync(pid, "CONT");
        }

        Assert.All(await _ray.Get(lengths), length => Assert.Equal(text.Length, length));
    }

    private static async Task SignalAsync(int pid, string signal)
    {
        using var kill = System.Diagnostics.Process.Start("kill", [$"-{signal}", $"{pid}"]);
        await kill.WaitForExitAsync();
    }

    [Fact]
    public async Task Remote_InAWorker_ErrorsArriveAsWhatTheyAre()
    {
        var actor = _ray.CountActor.Options(Apart).Remote();
        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(async () => await actor.Throw.Remote("far away"));
        Assert.Equal("far away", thrown.Message);
        Assert.Contains("CountActor.Throw", thrown.StackTrace, StringComparison.Ordinal);
        Assert.Equal(1, await actor.Increment.Remote(1));
        var failed = _ray.FailingActor.Options(Apart).Remote("no such file");
        Assert.Contains("no such file", (await Assert.ThrowsAsync<ActorDiedException>(async () => await failed.One.Remote())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Remote_WorkerDies_CallFailsWithTheCrashReport()
    {
        var actor = _ray.CountActor.Options(Apart).Remote();
        var crash = actor.Crash.Remote(7);
        var after = actor.Read.Remote();
        Assert.Contains("7", (await Assert.ThrowsAsync<ActorDiedException>(async () => await crash)).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ActorDiedException>(async () => await after);
        Assert.Equal(ActorPhase.Dead, Assert.Single(_ray.ListActors()).State);
    }

    [Fact]
    public async Task Remote_WorkerIsKilled_IsMadeAgainAndNoCallIsLost()
    {
        var actor = _ray.CountActor.Options(Apart with { MaxRestarts = -1, MaxTaskRetries = -1 }).Remote(0);
        var pid = await actor.Pid.Remote();
        var calls = Enumerable.Range(0, 500).Select(_ => actor.Increment.Remote(1)).ToArray();
        using (var process = Process.GetProcessById(pid))
            process.Kill();
        var seen = await _ray.Get(calls);

        // Each life counts from the start, and within a life no call overtakes another.
        Assert.All(seen.Zip(seen.Skip(1)), pair => Assert.True(pair.Second == pair.First + 1 || pair.Second == 1));
        Assert.NotEqual(pid, await actor.Pid.Remote());
        Assert.Equal(1, Assert.Single(_ray.ListActors()).NumRestarts);
    }

    [Fact]
    public async Task Actor_InAWorkerWithArgumentsLeftOut_TheirDefaultsHold()
    {
        Assert.Equal(0, await _ray.Actor<CountActor>(Apart).Read.Remote());
        Assert.Equal(5, await _ray.Actor<CountActor>(Apart, 5).Read.Remote());
    }

    [Fact]
    public async Task Remote_WorkerOfAnIdleActorIsKilled_IsSeenWithoutACall()
    {
        var actor = _ray.CountActor.Options(Apart).Remote();
        using (var process = Process.GetProcessById(await actor.Pid.Remote()))
            process.Kill();
        await Eventually.TrueAsync(() => _ray.ListActors().Single().State == ActorPhase.Dead);
        GC.KeepAlive(actor);
    }

    [Fact]
    public async Task Kill_EndsTheProcess()
    {
        var actor = _ray.CountActor.Options(Apart).Remote();
        var pid = await actor.Pid.Remote();
        actor.Kill();
        await Assert.ThrowsAsync<ActorDiedException>(async () => await actor.Read.Remote());
        await Eventually.TrueAsync(() => !Directory.Exists($"/proc/{pid}"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Remote_WorkerDiesInTheConstructor_IsMadeAgainIfThatIsAllowed(int restarts)
    {
        var actor = _ray.FragileActor.Options(Apart with { MaxRestarts = restarts }).Remote(NewFile());

        if (restarts == 0)
            Assert.Contains("code 7", (await Assert.ThrowsAsync<ActorDiedException>(async () => await actor.Pid.Remote())).Message, StringComparison.Ordinal);
        else
            Assert.NotEqual(Environment.ProcessId, await actor.Pid.Remote());
        Assert.Equal(restarts, Assert.Single(_ray.ListActors()).NumRestarts);
        // An actor without handles is not restarted.
        GC.KeepAlive(actor);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task KillAndTerminate_InAWorker_OnlyTerminateDisposes(bool kill)
    {
        var file = NewFile();
        var actor = _ray.FileActor.Options(Apart).Remote(file);
        var pid = await actor.Pid.Remote();

        if (kill)
            actor.Kill();
        else
            await actor.Terminate().SoonAsync();

        await Eventually.TrueAsync(() => !LinuxProcessInfo.Exists(pid));
        Assert.Equal(!kill, File.Exists(file));
    }

    [Fact]
    public async Task Options_TimeoutInAWorker_FailsAndCancels()
    {
        var actor = _ray.CountActor.Options(Apart).Remote();
        await actor.Created;

        await Assert.ThrowsAsync<RequestTimeoutException>(() => actor.SleepUntilCancelled.Options(new() { Timeout = TimeSpan.FromMilliseconds(200) }).Remote().AsTask().SoonAsync());

        await Eventually.TrueAsync(async () => await actor.Read.Remote() == -1);
    }

    [Fact]
    public async Task Remote_BlockingMethodInAWorker_HasADedicatedThread() => Assert.True(await _ray.CountActor.Options(Apart).Remote().IsOnBlockingThread.Remote());

    [Fact]
    public async Task Cancel_OfACallInAWorker_EndsTheTaskThatItHasStarted()
    {
        var file = NewFile();
        var call = _ray.FileActor.Options(Apart).Remote(NewFile()).StartWait.Remote(file);
        await Eventually.TrueAsync(() => File.Exists(file));

        _ray.Cancel(call);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await call);
        await Eventually.TrueAsync(() => File.ReadAllText(file) == "cancelled");
    }

    [Fact]
    public async Task Cancel_OfATaskInAWorker_EndsTheCallThatItHasMade()
    {
        var actor = _ray.CountActor.Remote();
        var task = _ray.ActorJobs.Sleep.Options(new() { Isolation = Isolation.Process }).Remote(actor);
        await Eventually.TrueAsync(() => _ray.ListTasks().Any(state => state.Name == "CountActor.SleepUntilCancelled" && state.State == TaskPhase.Running));

        _ray.Cancel(task);

        await Eventually.TrueAsync(async () => await actor.Read.Remote() == -1);
    }

    [Fact]
    public async Task ExitActor_InAWorker_EndsItAndItsProcess()
    {
        var actor = _ray.CountActor.Options(Apart with { MaxRestarts = 3 }).Remote();
        var pid = await actor.Pid.Remote();
        Assert.Contains("ended itself", (await Assert.ThrowsAsync<ActorDiedException>(async () => await actor.Exit.Remote())).Message, StringComparison.Ordinal);
        await Eventually.TrueAsync(() => !Directory.Exists($"/proc/{pid}"));
    }

    [Fact]
    public async Task Cancel_InAWorker_CallSeesItsToken()
    {
        var actor = _ray.CountActor.Options(Apart).Remote();
        var running = actor.SleepUntilCancelled.Remote();
        await Task.WhenAny(running.AsTask(), actor.Increment.Remote(0).AsTask());
        _ray.Cancel(running);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await running);
        await Eventually.TrueAsync(async () => await actor.Read.Remote() == -1);
    }

    private string NewFile() => Path.Combine(_folder.FullName, Guid.NewGuid().ToString("n"));
}
