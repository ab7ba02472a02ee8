using System.Diagnostics;
using Serve.Calls;
using Serve.Runtime.TestWorker;
using Serve.Runtime.Testing;

namespace Serve.Runtime.Workers.Tests.Nodes;

public sealed class WorkerLifecycleTests : IAsyncLifetime, IAsyncDisposable
{
    private readonly LocalAgentFixture _runtime = new();

    public Task InitializeAsync() => Task.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public ValueTask DisposeAsync() => _runtime.DisposeAsync();

    [Fact]
    public async Task Create_ManyForOneKeyAtOnce_ShareOneWorker()
    {
        var actors = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => _runtime.CreateAsync(new WorkerPlacement.Shared("app")))).SoonAsync();
        Assert.Single(actors.Select(actor => actor.Process.ProcessId).Distinct());
        var worker = Assert.Single(_runtime.Node.Workers);
        Assert.Equal(12, worker.ActorIds.Count);
        Assert.Equal("app", worker.Label);
    }

    [Fact]
    public async Task Stop_LastActor_EndsAndReapsTheWorker()
    {
        var first = await _runtime.CreateAsync(new WorkerPlacement.Shared("app"), cpus: 1);
        var second = await _runtime.CreateAsync(new WorkerPlacement.Shared("app"), cpus: 1);
        var pid = Assert.Single(_runtime.Node.Workers).ProcessId;
        await _runtime.Node.StopActorAsync(first.Id, TimeSpan.Zero, default).SoonAsync();
        Assert.True(LinuxProcessInfo.Exists(pid));
        await _runtime.Node.StopActorAsync(second.Id, TimeSpan.Zero, default).SoonAsync();
        Assert.False(LinuxProcessInfo.Exists(pid));
        Assert.Empty(_runtime.Node.Workers);
        Assert.Empty(_runtime.Node.Resources.Reserved.Units);
        Assert.False(_runtime.HasUnreadEvent);
    }

    [Fact]
    public async Task Create_WorkerNeverConnects_FailureHasItsOutput()
    {
        await using var silent = new LocalAgentFixture(options => options with { WorkerCommand = ["/bin/sh", "-c", "echo waiting for nothing; exec sleep 60"], WorkerStartTimeout = TimeSpan.FromSeconds(1) });

        var failure = await Assert.ThrowsAsync<ActorCreationException>(() => silent.CreateAsync(new WorkerPlacement.Own("silent"))).SoonAsync();

        Assert.Contains("was not ready within 1 s", failure.Message, StringComparison.Ordinal);
        Assert.Contains("waiting for nothing", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_AfterTheLastWasStopped_StartsAnotherWorker()
    {
        for (var i = 0; i < 3; i++)
        {
            var actor = await _runtime.CreateAsync(new WorkerPlacement.Shared("app"), id: $"a{i}");
            Assert.Equal(1, await actor.CallAsync<int>("Increment"));
            await _runtime.Node.StopActorAsync(actor.Id, TimeSpan.Zero, default).SoonAsync();
        }
    }

    [Fact]
    public async Task Create_WithASpareWorker_UsesItAndAnotherOneIsStarted()
    {
        _runtime.Node.KeepReady(new(1, [], 0));
        var spare = 0;
        await Eventually.TrueAsync(() => (spare = _runtime.Node.Workers.SingleOrDefault()?.ProcessId ?? 0) != 0);
        Assert.Equal("spare", _runtime.Node.Workers.Single().Label);

        var actor = await _runtime.CreateAsync(new WorkerPlacement.Shared("app"));
        var other = await _runtime.CreateAsync(new WorkerPlacement.Shared("app"));
        Assert.Equal((spare, spare), (await actor.CallAsync<int>("Pid"), await other.CallAsync<int>("Pid")));
        await Eventually.TrueAsync(() => _runtime.Node.Workers.Select(worker => worker.Label).Order().SequenceEqual(["app", "spare"]));

        await _runtime.Node.StopActorAsync(actor.Id, TimeSpan.Zero, default).SoonAsync();
        await _runtime.Node.StopActorAsync(other.Id, TimeSpan.Zero, default).SoonAsync();
        Assert.False(LinuxProcessInfo.Exists(spare));
        _runtime.Node.KeepReady(NodeStandby.None);
        await Eventually.TrueAsync(() => _runtime.Node.Workers.Count == 0);
    }

    [Fact]
    public async Task Create_SpareWorkerWasKilled_StartsAnotherWorker()
    {
        _runtime.Node.KeepReady(new(1, [], 0));
        await Eventually.TrueAsync(() => _runtime.Node.Workers.Count == 1);
        Kill(_runtime.Node.Workers.Single().ProcessId);
        Assert.IsType<NodeEvent.WorkerDied>(await _runtime.NextEventAsync());
        Assert.Equal(1, await (await _runtime.CreateAsync(new WorkerPlacement.Shared("app"))).CallAsync<int>("Increment"));
    }

    [Fact]
    public async Task Reports_WorkerDoesNotAnswer_AreReceivedByTheNodeWithoutDelay()
    {
        await using var patient = new LocalAgentFixture(options => options with { PingPeriod = TimeSpan.FromMinutes(1), PingTimeout = TimeSpan.FromMinutes(1) });
        await patient.CreateAsync(new WorkerPlacement.Own("stopped"));
        var pid = Assert.Single(patient.Node.Workers).ProcessId;
        var value = 0;
        using var report = patient.Reports.Add(new("process:a"), "test", () => System.Text.Encoding.UTF8.GetBytes($"{value}"));
        Signal(pid, "STOP");
        var clock = Stopwatch.StartNew();
        for (value = 1; value <= 8; value++)
        {
            report.NotifyChanged();
            await Eventually.TrueAsync(() => patient.Topics.Newest?.EndsWith($$"""{"process:a":{{value}}}""", StringComparison.Ordinal) == true);
        }

        // Each took a second when it waited for the worker.
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"{clock.Elapsed}");
        Signal(pid, "CONT");
    }

    [Fact]
    public async Task Kill_AWorker_TellsEachActorAndReaps()
    {
        var actor = await _runtime.CreateAsync(new WorkerPlacement.Shared("app"), cpus: 1);
        var other = await _runtime.CreateAsync(new WorkerPlacement.Shared("app"), cpus: 1);
        var pid = Assert.Single(_runtime.Node.Workers).ProcessId;
        var inFlight = actor.CallAsync<bool>("Forever");
        await Eventually.TrueAsync(async () => await actor.CallAsync<int>("Ongoing") == 2);
        var clock = Stopwatch.StartNew();
        Kill(pid);
        var first = Assert.IsType<NodeEvent.ActorDied>(await _runtime.NextEventAsync());
        var second = Assert.IsType<NodeEvent.ActorDied>(await _runtime.NextEventAsync());
        var worker = Assert.IsType<NodeEvent.WorkerDied>(await _runtime.NextEventAsync());
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(2), $"Seen after {clock.Elapsed}.");
        Assert.Equal(new HashSet<ActorId> { actor.Id, other.Id }, [first.Id, second.Id]);
        Assert.Equal(pid, worker.ProcessId);
        Assert.Contains("SIGKILL", worker.Reason, StringComparison.Ordinal);
        Assert.False(LinuxProcessInfo.Exists(pid));
        Assert.Empty(_runtime.Node.Resources.Reserved.Units);
        await Assert.ThrowsAsync<ReplicaDiedException>(() => inFlight);
        Assert.True((await Assert.ThrowsAsync<CallRefusedException>(() => actor.CallAsync<int>("Increment"))).Gone);
        await _runtime.Node.StopActorAsync(actor.Id, TimeSpan.Zero, default).SoonAsync();
    }

    [Theory]
    [InlineData("Crash", "crashed as asked", "SIGABRT")]
    [InlineData("Overflow", "Stack overflow.", "SIGABRT")]
    public async Task Crash_OfUserCode_IsToldInItsLastWords(string method, string says, string signal)
    {
        var actor = await _runtime.CreateAsync(new WorkerPlacement.Own("crash"));
        var bystander = await _runtime.CreateAsync(new WorkerPlacement.Own("bystander"));
        await Assert.ThrowsAsync<ReplicaDiedException>(() => actor.CallAsync<object?>(method));
        var died = Assert.IsType<NodeEvent.ActorDied>(await _runtime.NextEventAsync());
        Assert.Contains(says, died.Reason, StringComparison.Ordinal);
        Assert.Contains(signal, died.Reason, StringComparison.Ordinal);
        Assert.Equal(1, await bystander.CallAsync<int>("Increment"));
    }

    [Fact]
    public async Task End_OfAWorker_TakesTheChildrenOfUserCodeAlong()
    {
        var stopped = await _runtime.CreateAsync(new WorkerPlacement.Own("stopped"));
        var killed = await _runtime.CreateAsync(new WorkerPlacement.Own("killed"));
        var childOfStopped = await stopped.CallAsync<int>("Spawn");
        var childOfKilled = await killed.CallAsync<int>("Spawn");
        Assert.True(LinuxProcessInfo.Exists(childOfStopped) && LinuxProcessInfo.Exists(childOfKilled));
        await _runtime.Node.StopActorAsync(stopped.Id, TimeSpan.Zero, default).SoonAsync();
        Kill(await killed.CallAsync<int>("Pid"));
        await _runtime.NextEventAsync();
        await Eventually.TrueAsync(() => !IsAlive(childOfStopped) && !IsAlive(childOfKilled));
    }

    [Fact]
    public async Task Worker_HasAGroupOfItsOwn()
    {
        await _runtime.CreateAsync(new WorkerPlacement.Own("group"));
        var pid = Assert.Single(_runtime.Node.Workers).ProcessId;
        Assert.Equal(pid, LinuxProcessInfo.GroupOf(pid));
        Assert.NotEqual(pid, LinuxProcessInfo.GroupOf(Environment.ProcessId));
    }

    [Fact]
    public async Task Worker_ThatIsFrozen_IsKilledAfterMissedPings()
    {
        await using var impatient = new LocalAgentFixture(options => options with
        {
            PingPeriod = TimeSpan.FromMilliseconds(100),
            PingTimeout = TimeSpan.FromSeconds(1),
        });
        await impatient.CreateAsync(new WorkerPlacement.Own("frozen"));
        var pid = Assert.Single(impatient.Node.Workers).ProcessId;
        Signal(pid, "STOP");
        Assert.Contains("did not answer", Assert.IsType<NodeEvent.ActorDied>(await impatient.NextEventAsync()).Reason, StringComparison.Ordinal);
        Assert.False(LinuxProcessInfo.Exists(pid));
    }

    [Fact]
    public async Task Worker_ThatIsStoppedByASignal_IsKilledBeforeItsPingTimesOut()
    {
        await using var patient = new LocalAgentFixture(options => options with
        {
            PingPeriod = TimeSpan.FromMilliseconds(100),
            PingTimeout = TimeSpan.FromHours(1),
        });
        await patient.CreateAsync(new WorkerPlacement.Own("frozen"));
        Signal(Assert.Single(patient.Node.Workers).ProcessId, "STOP");
        Assert.Contains("stopped by a signal", Assert.IsType<NodeEvent.ActorDied>(await patient.NextEventAsync()).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WorkerOfTasks_ThatIsFrozen_IsKilledAndItsTaskRunsAgain()
    {
        var folder = Directory.CreateTempSubdirectory("serve-frozen-test").FullName;
        try
        {
            await using var impatient = new LocalAgentFixture(ImpatientWithTasks);
            var (file, until) = (Path.Combine(folder, "runs"), Path.Combine(folder, "until"));
            var blocked = impatient.Cluster.Jobs.Block.Remote(file, until);
            await Eventually.TrueAsync(() => File.Exists(file));
            var pid = Assert.Single(impatient.Cluster.ListWorkers()).Pid;

            Signal(pid, "STOP");

            Assert.Contains("did not answer", Assert.IsType<NodeEvent.WorkerDied>(await impatient.NextEventAsync()).Reason, StringComparison.Ordinal);
            Assert.False(LinuxProcessInfo.Exists(pid));
            File.WriteAllText(until, "");
            Assert.NotEqual(pid, await blocked.AsTask().SoonAsync());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task WorkerOfTasks_WhoseThreadPoolIsBusy_Lives()
    {
        await using var impatient = new LocalAgentFixture(ImpatientWithTasks);

        // Longer than it takes to miss three answers.
        var pid = await impatient.Cluster.Jobs.BusyPool.Remote(5000).AsTask().SoonAsync();

        Assert.Equal(pid, Assert.Single(impatient.Cluster.ListWorkers()).Pid);
    }

    [Fact]
    public async Task Create_ConstructorThrows_IsToldAndTheWorkerEnds()
    {
        var thrown = await Assert.ThrowsAsync<ActorCreationException>(() => _runtime.CreateAsync(new WorkerPlacement.Own("bad"), "throw", cpus: 1));
        Assert.Contains("the constructor has no luck", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("TestActorActivator", thrown.Details, StringComparison.Ordinal);
        Assert.Empty(_runtime.Node.Workers);
        Assert.Empty(_runtime.Node.Resources.Reserved.Units);
        Assert.False(_runtime.HasUnreadEvent);
    }

    [Fact]
    public async Task Create_ConstructorCrashes_IsToldAsTheCreationsFailure()
    {
        var thrown = await Assert.ThrowsAsync<ActorCreationException>(() => _runtime.CreateAsync(new WorkerPlacement.Own("bad"), "crash"));
        Assert.Contains("crashed in the constructor", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_Cancelled_LeavesNothing()
    {
        using var source = new CancellationTokenSource();
        var creation = _runtime.CreateAsync(new WorkerPlacement.Own("slow"), "slow", cpus: 1, cancellationToken: source.Token);
        await Eventually.TrueAsync(() => _runtime.Node.Workers.Count == 1);
        var pid = _runtime.Node.Workers[0].ProcessId;
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(creation.SoonAsync);
        Assert.False(LinuxProcessInfo.Exists(pid));
        Assert.Empty(_runtime.Node.Resources.Reserved.Units);
    }

    [Fact]
    public async Task Stop_OfAnActorThatIsBeingMade_GivesItsCreationUp()
    {
        var creation = _runtime.CreateAsync(new WorkerPlacement.Shared("slow"), "slow", cpus: 1, id: "slow");
        await Eventually.TrueAsync(() => _runtime.Node.Workers.Count == 1);
        await _runtime.Node.StopActorAsync(new("slow"), TimeSpan.FromSeconds(10), default).SoonAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => creation);
        Assert.Empty(_runtime.Node.Workers);
        Assert.Empty(_runtime.Node.Resources.Reserved.Units);
    }

    [Fact]
    public async Task CreateAndStop_Racing_LeaveNothing()
    {
        await _runtime.CreateAsync(new WorkerPlacement.Shared("app"), id: "stays");
        for (var round = 0; round < 30; round++)
        {
            using var source = new CancellationTokenSource();
            var creation = _runtime.CreateAsync(new WorkerPlacement.Shared("app"), cpus: 1, id: $"r{round}", cancellationToken: source.Token);
            for (var spin = 0; spin < round % 6; spin++)
                await Task.Yield();
            var stop = round % 2 == 0 ? _runtime.Node.StopActorAsync(new($"r{round}"), TimeSpan.Zero, default) : source.CancelAsync();
            await stop.SoonAsync();
            try
            {
                await creation.SoonAsync();
                await _runtime.Node.StopActorAsync(new($"r{round}"), TimeSpan.Zero, default).SoonAsync();
            }
            catch (OperationCanceledException)
            {
                // The stop or the cancellation came first.
            }
        }

        Assert.Empty(_runtime.Node.Resources.Reserved.Units);
        Assert.Equal("stays", Assert.Single(Assert.Single(_runtime.Node.Workers).ActorIds).Value);
    }

    [Fact]
    public async Task Create_CancelledWhileTheWorkerStarts_LeavesNothing()
    {
        using var source = new CancellationTokenSource();
        var creation = _runtime.CreateAsync(new WorkerPlacement.Own("early"), cancellationToken: source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(creation.SoonAsync);
        await _runtime.DisposeAsync();
        Assert.DoesNotContain(LinuxProcessInfo.Children(), child => child.State == "Z");
    }

    [Fact]
    public async Task Create_WorkerCannotStart_SaysWhatItWrote()
    {
        await using var broken = new LocalAgentFixture(options => options with { WorkerCommand = [LocalAgentFixture.Executable, "nonsense"] });
        var thrown = await Assert.ThrowsAsync<ActorCreationException>(() => broken.CreateAsync(new WorkerPlacement.Own("x")));
        Assert.Contains("worker | node N", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("code 2", thrown.Message, StringComparison.Ordinal);
        await using var absent = new LocalAgentFixture(options => options with { WorkerCommand = ["/does/not/exist"] });
        await Assert.ThrowsAsync<ActorCreationException>(() => absent.CreateAsync(new WorkerPlacement.Own("x")));
    }

    [Fact]
    public async Task Create_WorkerNeverGetsReady_TimesOut()
    {
        await using var silent = new LocalAgentFixture(options => options with { WorkerCommand = ["sleep", "300"], WorkerStartTimeout = TimeSpan.FromMilliseconds(300) });
        var thrown = await Assert.ThrowsAsync<ActorCreationException>(() => silent.CreateAsync(new WorkerPlacement.Own("x")).SoonAsync());
        Assert.Contains("not ready within 0.3 s", thrown.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(LinuxProcessInfo.Children(), child => child.Name == "sleep");
    }

    [Fact]
    public async Task Create_WorkerIsSlowButMakesProgress_IsWaitedFor()
    {
        // 4 s, with a little work every 0.5 s.
        const string Slow = "for n in 1 2 3 4 5 6 7 8; do sleep 0.5; i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; done; exec \"$@\"";
        await using var slow = new LocalAgentFixture(options => options with
        {
            WorkerCommand = ["sh", "-c", Slow, "sh", .. options.WorkerCommand!],
            WorkerStartTimeout = TimeSpan.FromSeconds(3),
        });
        var actor = await slow.CreateAsync(new WorkerPlacement.Own("slow"));
        Assert.NotEqual(Environment.ProcessId, await actor.CallAsync<int>("Pid"));
    }

    [Fact]
    public async Task Create_ManyWorkersAtOnce_StartsAreLimitedAndTheWaitCountsNotAgainstTheTimeLimit()
    {
        var limit = Math.Max(2, Environment.ProcessorCount);
        await using var silent = new LocalAgentFixture(options => options with { WorkerCommand = ["sleep", "301"], WorkerStartTimeout = TimeSpan.FromMilliseconds(300) });
        var most = 0;
        var starts = Enumerable.Range(0, 3 * limit).Select(number => silent.CreateAsync(new WorkerPlacement.Own($"x{number}"))).ToList();
        while (!starts.TrueForAll(static start => start.IsCompleted))
        {
            most = Math.Max(most, LinuxProcessInfo.Children().Count(child => child.Name == "sleep"));
            await Task.Delay(20);
        }

        Assert.InRange(most, 1, limit);
        foreach (var start in starts)
        {
            var failure = await Assert.ThrowsAsync<ActorCreationException>(() => start);
            Assert.True(failure.IsNodeFailure);
            Assert.Contains("not ready within 0.3 s", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Stop_WithOngoingCall_DrainsIt()
    {
        var actor = await _runtime.CreateAsync(new WorkerPlacement.Own("drain"));
        var call = actor.CallAsync<int>("Wait", 400);
        await Eventually.TrueAsync(async () => await actor.CallAsync<int>("Ongoing") == 2);
        await _runtime.Node.StopActorAsync(actor.Id, TimeSpan.FromSeconds(10), default).SoonAsync();
        Assert.Equal(400, await call);
    }

    [Fact]
    public async Task Stop_DrainTimesOut_CancelsTheCall()
    {
        var actor = await _runtime.CreateAsync(new WorkerPlacement.Own("drain"));
        var call = actor.CallAsync<bool>("Forever");
        await Eventually.TrueAsync(async () => await actor.CallAsync<int>("Ongoing") == 2);
        await _runtime.Node.StopActorAsync(actor.Id, TimeSpan.FromMilliseconds(100), default).SoonAsync();
        await Assert.ThrowsAsync<ReplicaDiedException>(() => call);
    }

    [Fact]
    public async Task Stop_CutShort_EndsTheDrain()
    {
        var actor = await _runtime.CreateAsync(new WorkerPlacement.Own("drain"));
        var call = actor.CallAsync<bool>("Forever");
        await Eventually.TrueAsync(async () => await actor.CallAsync<int>("Ongoing") == 2);
        using var source = new CancellationTokenSource(100);
        await _runtime.Node.StopActorAsync(actor.Id, TimeSpan.FromMinutes(5), source.Token).SoonAsync();
        await Assert.ThrowsAsync<ReplicaDiedException>(() => call);
    }

    [Fact]
    public async Task Stop_ActorThatBlocksItsTurn_EndsAllTheSame()
    {
        var actor = await _runtime.CreateAsync(new WorkerPlacement.Own("stuck"));
        var call = actor.CallAsync<bool>("Block", 600_000);
        var pid = Assert.Single(_runtime.Node.Workers).ProcessId;
        await _runtime.Node.StopActorAsync(actor.Id, TimeSpan.Zero, default).SoonAsync();
        Assert.False(LinuxProcessInfo.Exists(pid));
        await Assert.ThrowsAnyAsync<Exception>(() => call);
    }

    [Fact]
    public async Task Publish_IsInForceEverywhere_WhenItCompletes()
    {
        var actor = await _runtime.CreateAsync(new WorkerPlacement.Own("first"));
        await _runtime.Node.PublishAsync("test", new(1, 1), "one"u8.ToArray(), default).SoonAsync();
        Assert.Equal("1:one", _runtime.Topics.Newest);
        Assert.Equal("1:one", await actor.CallAsync<string?>("Topic"));
        var late = await _runtime.CreateAsync(new WorkerPlacement.Own("second"));
        Assert.Equal("1:one", await late.CallAsync<string?>("Topic"));
        await _runtime.Node.PublishAsync("test", new(1, 0), "old"u8.ToArray(), default).SoonAsync();
        Assert.Equal("1:one", await late.CallAsync<string?>("Topic"));

        // A new publisher counts from 0 in a higher epoch.
        await _runtime.Node.PublishAsync("test", new(2, 0), "new"u8.ToArray(), default).SoonAsync();
        Assert.Equal("0:new", await late.CallAsync<string?>("Topic"));
    }

    [Fact]
    public async Task Publish_WorkerDiesMeanwhile_DoesNotCount()
    {
        await _runtime.CreateAsync(new WorkerPlacement.Own("dies"));
        var pid = Assert.Single(_runtime.Node.Workers).ProcessId;
        Signal(pid, "STOP");
        var publication = _runtime.Node.PublishAsync("test", new(1, 1), "one"u8.ToArray(), default);
        Kill(pid);
        await publication.SoonAsync();
    }

    [Fact]
    public async Task Log_OfAWorker_HoldsWhatUserCodeWrites()
    {
        var actor = await _runtime.CreateAsync(new WorkerPlacement.Own("log"));
        await actor.CallAsync<object?>("Write", "written by user code");
        var log = Assert.Single(_runtime.Node.Workers).LogFile;
        await Eventually.TrueAsync(() => File.ReadAllText(log).Contains("written by user code", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Dispose_WithActorsEverywhere_LeavesNoProcess()
    {
        await Task.WhenAll(Enumerable.Range(0, 3).Select(i => _runtime.CreateAsync(new WorkerPlacement.Own($"w{i}"))));
        var pids = _runtime.Node.Workers.Select(worker => worker.ProcessId).ToList();
        Assert.Equal(3, pids.Count);
        await _runtime.DisposeAsync();
        Assert.DoesNotContain(pids, LinuxProcessInfo.Exists);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Kill_OfTheNode_EndsItsWorkersAndTheirChildrenWithinTwoSeconds(bool areStopped)
    {
        // No other process removes the directory of a killed node.
        var temporary = Directory.CreateTempSubdirectory("serve-node-test");
        using var node = Process.Start(new ProcessStartInfo(LocalAgentFixture.Executable, ["node", "2"])
        {
            RedirectStandardOutput = true,
            Environment = { ["TMPDIR"] = temporary.FullName },
        })!;
        var pids = (await node.StandardOutput.ReadLineAsync().SoonAsync())!.Split(' ').Select(int.Parse).ToList();
        Assert.Equal(4, pids.Count);
        Assert.All(pids, pid => Assert.True(LinuxProcessInfo.Exists(pid)));
        foreach (var worker in areStopped ? pids.Take(2) : [])
            Signal(worker, "STOP");
        node.Kill();
        await Eventually.TrueAsync(() => !pids.Any(IsAlive), timeout: TimeSpan.FromSeconds(2));
        await node.WaitForExitAsync();
        temporary.Delete(recursive: true);
    }

    [Fact]
    public async Task Worker_WhoseInputEnds_DiesAtOnce()
    {
        using var worker = Process.Start(new ProcessStartInfo(LocalAgentFixture.Executable, ["worker"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var log = Path.GetTempFileName();
        await worker.StandardInput.WriteLineAsync($"{{\"worker_id\":\"w\",\"token\":\"t\",\"log_file\":\"{log}\"}}");
        await worker.StandardInput.FlushAsync();
        Assert.Contains("call_address", await worker.StandardOutput.ReadLineAsync().SoonAsync(), StringComparison.Ordinal);
        worker.StandardInput.Close();
        await worker.WaitForExitAsync().SoonAsync();
        File.Delete(log);
    }

    [Theory]
    [InlineData("sleep 302 & echo $!; sleep 303")]
    [InlineData("setsid sleep 302 & echo $!; sleep 303")]
    [InlineData("(setsid sh -c 'echo $$; exec sleep 302' &) ; sleep 303")]
    public async Task SupervisedCommand_ParentClosesItsInput_EndsWithItsDescendants(string command)
    {
        using var supervisor = Process.Start(new ProcessStartInfo(LocalAgentFixture.Executable, ["supervise", "sh", "-c", command])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        var child = int.Parse((await supervisor.StandardOutput.ReadLineAsync().SoonAsync())!, System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(IsAlive(child));
        supervisor.StandardInput.Close();
        await supervisor.WaitForExitAsync().SoonAsync();
        await Eventually.TrueAsync(() => !IsAlive(child));
    }

    [Fact]
    public async Task SupervisedCommand_Exits_ReturnsItsExitCodeAndLeavesNoProcess()
    {
        using var supervisor = Process.Start(new ProcessStartInfo(LocalAgentFixture.Executable, ["supervise", "sh", "-c", "setsid sleep 302 > /dev/null & echo $!; exit 7"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        var child = int.Parse((await supervisor.StandardOutput.ReadLineAsync().SoonAsync())!, System.Globalization.CultureInfo.InvariantCulture);
        await supervisor.WaitForExitAsync().SoonAsync();
        Assert.Equal(7, supervisor.ExitCode);
        Assert.False(IsAlive(child));
    }

    // A defunct process whose parent is not ours to reap counts as dead.
    private static bool IsAlive(int pid)
    {
        try
        {
            return !File.ReadAllText($"/proc/{pid}/stat").Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Its workers run tasks and have no server of their own.</summary>
    private static NodeRuntimeOptions ImpatientWithTasks(NodeRuntimeOptions options) => options with
    {
        WorkersListen = false,
        TaskIsolation = Isolation.Process,
        PingPeriod = TimeSpan.FromMilliseconds(100),
        PingTimeout = TimeSpan.FromSeconds(1),
    };

    private static void Kill(int pid) => Signal(pid, "KILL");

    private static void Signal(int pid, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", pid.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}
