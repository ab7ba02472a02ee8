using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Reflection.Emit;
using Serve.Calls;
using Serve.Runtime.Clusters;
using Serve.Runtime.Execution;
using Serve.Runtime.TestWorker;
using Serve.Runtime.Testing;
using Serve.Runtime.Workers.Processes;

namespace Serve.Runtime.Workers.Tests.Connections;

/// <summary>Tasks in worker processes: failures, and the state that remains after them.</summary>
public sealed class WorkerTaskTests : IAsyncLifetime, IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("serve-worker-task-tests");
    private readonly DriverCluster _ray;

    public WorkerTaskTests() => _ray = new(Options, ProgramWorkerLauncher.StartWorkers);

    private ClusterOptions Options => new() { NumCpus = 2, Isolation = Isolation.Process, WorkerCommand = [LocalAgentFixture.Executable, "worker"], WorkerLogDirectory = _folder.FullName };

    public Task InitializeAsync() => Task.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        await _ray.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Task_InAWorker_RunsInAnotherProcess() => Assert.NotEqual(Environment.ProcessId, await _ray.Jobs.Pid.Remote());

    [Fact]
    public async Task Task_WhoseWorkerIsKilled_RunsAgain()
    {
        var (file, until) = (NewFile(), NewFile());
        var blocked = _ray.Jobs.Block.Remote(file, until);
        var pid = await PidInAsync(file);

        Kill(pid);
        await Eventually.TrueAsync(() => File.Exists(file) && File.ReadAllText(file) != pid.ToString(CultureInfo.InvariantCulture));
        File.WriteAllText(until, "");

        Assert.NotEqual(pid, await blocked.AsTask().SoonAsync());
    }

    [Fact]
    public async Task Task_ThatExitsItsProcessOnce_RunsAgain() => Assert.NotEqual(Environment.ProcessId, await _ray.Jobs.CrashOnce.Remote(NewFile()).AsTask().SoonAsync());

    [Fact]
    public async Task Task_WithoutRetries_FailsAsItsWorkerEnded()
    {
        var thrown = await Assert.ThrowsAsync<WorkerDiedException>(() => _ray.Jobs.Crash.Remote().AsTask().SoonAsync());

        Assert.Contains("Jobs.Crash", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("exited with code 7", thrown.Message, StringComparison.Ordinal);
    }

    /// <summary>A quick task that was sent ahead behind one that waits, and is given back, must not leave that one's CPU unlent.</summary>
    [Fact]
    public async Task Tasks_ThatWaitAmongQuickOnes_NeverHoldEveryCpu()
    {
        for (var round = 0; round < 20; round++)
        {
            var sums = Enumerable.Range(0, 600).Select(i => i % 30 == 29 ? _ray.Jobs.SumLater.Remote(3) : _ray.Jobs.Add.Remote(i, 1)).ToList();
            await _ray.Get(sums).WaitAsync(TimeSpan.FromSeconds(60));
        }
    }

    [Fact]
    public async Task Cancel_BeforeItsWorkerIsThere_NeverRuns()
    {
        var file = NewFile();
        var waiting = _ray.Jobs.Wait.Remote(file);
        _ray.Cancel(waiting);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.AsTask().SoonAsync());
        Assert.NotEqual(Environment.ProcessId, await _ray.Jobs.Pid.Remote().AsTask().SoonAsync());
        Assert.False(File.Exists(file));
    }

    [Fact]
    public async Task Task_WhoseWorkerCannotBeStarted_FailsAndSaysWhy()
    {
        await using var broken = new DriverCluster(Options with { WorkerCommand = ["/bin/sh", "-c", "echo no luck >&2; exit 3"] }, ProgramWorkerLauncher.StartWorkers);

        var thrown = await Assert.ThrowsAsync<WorkerDiedException>(() => broken.Jobs.Pid.Remote().AsTask().SoonAsync());

        Assert.Contains("Jobs.Pid", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("no luck", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancel_WhileItRuns_FiresItsToken()
    {
        var file = NewFile();
        var waiting = _ray.Jobs.Wait.Remote(file);
        await PidInAsync(file);

        _ray.Cancel(waiting);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.AsTask().SoonAsync());
        await Eventually.TrueAsync(() => File.ReadAllText(file) == "cancelled");
    }

    [Fact]
    public async Task Cancel_WithForce_KillsItsWorkerAndNothingElseIsLost()
    {
        var (file, never, other, until) = (NewFile(), NewFile(), NewFile(), NewFile());
        var stuck = _ray.Jobs.Block.Remote(file, never);
        var fine = _ray.Jobs.Block.Remote(other, until);
        var (pid, finePid) = (await PidInAsync(file), await PidInAsync(other));

        _ray.Cancel(stuck, force: true);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stuck.AsTask().SoonAsync());
        await Eventually.TrueAsync(() => !LinuxProcessInfo.Exists(pid));
        File.WriteAllText(until, "");
        Assert.Equal(finePid, await fine.AsTask().SoonAsync());
        Assert.Equal(3, await _ray.Jobs.Add.Remote(1, 2).AsTask().SoonAsync());
    }

    [Fact]
    public async Task Cancel_WithForce_WhatElseIsOnItsWorkerRunsAgainWithoutARetry()
    {
        await using var narrow = new DriverCluster(Options with { NumCpus = 1 }, ProgramWorkerLauncher.StartWorkers);
        var (own, other, never) = (NewFile(), NewFile(), NewFile());

        var seen = (await narrow.Jobs.KillNeighbour.Remote(own, other, never).AsTask().SoonAsync()).Split(' ');

        Assert.Equal(seen[0], seen[1]);
        Assert.False(LinuxProcessInfo.Exists(int.Parse(seen[0], CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task Task_WithAnArgumentThatCannotTravel_FailsWithItsName()
    {
        var function = new RemoteFunction(typeof(Travel), nameof(Travel.Take), false, new());
        var thrown = await Assert.ThrowsAsync<NotSerializableException>(() => _ray.Submit(function, new Call<int>(nameof(Travel.Take), new Action(() => { }))).AsTask().SoonAsync());

        Assert.Contains("rgument 'action'", thrown.Message, StringComparison.Ordinal);
        Assert.Equal(3, await _ray.Jobs.Add.Remote(1, 2).AsTask().SoonAsync());
    }

    [Fact]
    public async Task Task_WithARefOfAnotherClusterInsideAValue_FailsAndNamesIt()
    {
        await using var other = new DriverCluster(new() { NumCpus = 1 }, ProgramWorkerLauncher.StartWorkers);
        ObjectRef<int> foreign = other.Put(1);

        var thrown = await Assert.ThrowsAsync<NotSerializableException>(() => _ray.Jobs.Open.Remote(foreign).AsTask().SoonAsync());

        Assert.Contains($"Object {foreign.Id} belongs to another cluster", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Task_WithAResultThatCannotTravel_FailsWithItsName()
    {
        var thrown = await Assert.ThrowsAsync<NotSerializableException>(() => _ray.Jobs.Unwritable.Remote().AsTask().SoonAsync());

        Assert.Contains("Jobs.Unwritable", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Task_OfAnAssemblyThatTheWorkerDoesNotReference_IsFoundByItsFile()
    {
        var function = new RemoteFunction(typeof(Travel), nameof(Travel.Twice), false, new());

        Assert.Equal(14, await _ray.Submit(function, new Call<int>(nameof(Travel.Twice), 7)).AsTask().SoonAsync());
    }

    [Fact]
    public async Task Task_OfAnAssemblyWithoutAFile_FailsWithItsName()
    {
        var type = AssemblyBuilder.DefineDynamicAssembly(new("Nowhere"), AssemblyBuilderAccess.Run).DefineDynamicModule("Nowhere").DefineType("Absent", TypeAttributes.Public | TypeAttributes.Class);
        var method = type.DefineMethod("Run", MethodAttributes.Public | MethodAttributes.Static, typeof(int), []);
        method.GetILGenerator().Emit(OpCodes.Ldc_I4_1);
        method.GetILGenerator().Emit(OpCodes.Ret);
        var function = new RemoteFunction(type.CreateType(), "Run", false, new());

        var thrown = await Assert.ThrowsAsync<BadInputException>(() => _ray.Submit(function, new Call<int>("Run")).AsTask().SoonAsync());

        Assert.Contains("Absent", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Task_WithoutAWorkerCommand_RunsInThisProgramStartedAgain()
    {
        await using var cluster = new DriverCluster(new() { NumCpus = 1, Isolation = Isolation.Process, WorkerLogDirectory = _folder.FullName }, ProgramWorkerLauncher.StartWorkers);

        var pid = await cluster.Jobs.Pid.Remote().AsTask().SoonAsync();

        Assert.NotEqual(Environment.ProcessId, pid);
        Assert.Equal(pid, cluster.ListWorkers()[0].Pid);
        Assert.Null(await cluster.Jobs.Variable.Remote("DOTNET_STARTUP_HOOKS").AsTask().SoonAsync());
    }

    [Fact]
    public async Task Write_InAWorker_GoesToItsLog()
    {
        await _ray.Jobs.Write.Remote("a line of the task's").AsTask().SoonAsync();

        await Eventually.TrueAsync(() => _folder.GetFiles("*.log").Any(file => ReadShared(file.FullName).Contains("a line of the task's", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Write_InAWorker_AppearsHereWithItsTaskAndProcess()
    {
        using var output = new StringWriter();
        await using var cluster = new DriverCluster(Options, ProgramWorkerLauncher.StartWorkers) { Output = TextWriter.Synchronized(output) };
        await cluster.Jobs.Write.Remote("a line of the task's").AsTask().SoonAsync();
        var pid = cluster.ListWorkers()[0].Pid;

        await Eventually.TrueAsync(() => output.ToString() == $"(Jobs.Write pid={pid}) a line of the task's{Environment.NewLine}", output.ToString);
    }

    [Fact]
    public async Task Write_ToErrorsAndInTheBackground_AppearsHere()
    {
        using var output = new StringWriter();
        await using var cluster = new DriverCluster(Options, ProgramWorkerLauncher.StartWorkers) { Output = TextWriter.Synchronized(output) };
        await cluster.Jobs.WriteErrors.Remote("an error of the task's", "a line of a thread's").AsTask().SoonAsync();
        var pid = cluster.ListWorkers()[0].Pid;

        await Eventually.TrueAsync(() => output.ToString().Contains($"(Jobs.WriteErrors pid={pid}) an error of the task's", StringComparison.Ordinal) && output.ToString().Contains($"(pid={pid}) a line of a thread's", StringComparison.Ordinal), output.ToString);
    }

    [Fact]
    public async Task Write_FasterThanTheDriverReads_HoldsTheTaskBack()
    {
        const int Lines = 2000;
        using var output = new GatedWriter();
        await using var cluster = new DriverCluster(Options, ProgramWorkerLauncher.StartWorkers) { Output = output };
        var file = NewFile();
        var written = cluster.Jobs.WriteLines.Remote(Lines, 10_000, file);

        // The driver is stuck in its first line: the worker must stop at its bound, not at the end.
        await Eventually.TrueAsync(() => File.Exists(file));
        Assert.False(written.AsTask().IsCompleted);
        output.Open();

        Assert.True(await written.AsTask().SoonAsync() > 0);
        await Eventually.TrueAsync(() => output.Count == Lines, () => $"{output.Count} of {Lines} lines arrived");
    }

    [Fact]
    public async Task Memory_AboveTheThreshold_StopsTheNewestAndRunsItAgain()
    {
        var hungry = 0;
        await using var cluster = new DriverCluster(Options with { MemoryUsageThreshold = 0.9 }, ProgramWorkerLauncher.StartWorkers) { ReadMemory = () => ShortWhileThereIs(Volatile.Read(ref hungry)) };
        var (old, young, until) = (NewFile(), NewFile(), NewFile());
        var first = cluster.Jobs.Block.Remote(old, until);
        var firstPid = await PidInAsync(old);
        var second = cluster.Jobs.Block.Remote(young, until);
        var secondPid = await PidInAsync(young);

        Volatile.Write(ref hungry, secondPid);
        await Eventually.TrueAsync(() => ReadShared(young) != secondPid.ToString(CultureInfo.InvariantCulture));
        File.WriteAllText(until, "");

        Assert.Equal(firstPid, await first.AsTask().SoonAsync());
        Assert.NotEqual(secondPid, await second.AsTask().SoonAsync());
    }

    [Fact]
    public async Task Memory_AboveTheThreshold_StopsAnOlderOneThatMayRunAgainRatherThanOneThatMayNot()
    {
        var hungry = 0;
        await using var cluster = new DriverCluster(Options with { MemoryUsageThreshold = 0.9 }, ProgramWorkerLauncher.StartWorkers) { ReadMemory = () => ShortWhileThereIs(Volatile.Read(ref hungry)) };
        var (old, young, until) = (NewFile(), NewFile(), NewFile());
        var first = cluster.Jobs.Block.Remote(old, until);
        var firstPid = await PidInAsync(old);
        var second = cluster.Jobs.Block.Options(new() { MaxRetries = 0 }).Remote(young, until);
        var secondPid = await PidInAsync(young);

        Volatile.Write(ref hungry, firstPid);
        await Eventually.TrueAsync(() => ReadShared(old) != firstPid.ToString(CultureInfo.InvariantCulture));
        File.WriteAllText(until, "");

        Assert.NotEqual(firstPid, await first.AsTask().SoonAsync());
        Assert.Equal(secondPid, await second.AsTask().SoonAsync());
    }

    [Fact]
    public async Task Memory_AboveTheThreshold_FailsWhatMayNotRunAgain()
    {
        var reading = new SystemMemoryUsage(50, 100);
        await using var cluster = new DriverCluster(Options with { MemoryUsageThreshold = 0.9 }, ProgramWorkerLauncher.StartWorkers) { ReadMemory = () => reading };
        var file = NewFile();
        var waiting = cluster.Jobs.Wait.Remote(file);
        await PidInAsync(file);

        reading = new(95, 100);

        var thrown = await Assert.ThrowsAsync<TaskOutOfMemoryException>(() => waiting.AsTask().SoonAsync());
        Assert.Contains("Jobs.Wait", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("95.0", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tasks_BehindOneThatTakesLong_RunOnOtherWorkers()
    {
        for (var i = 0; i < 40; i++)
            await _ray.Get(Enumerable.Range(0, 50).Select(n => _ray.Jobs.Add.Remote(n, n)));
        var (file, until) = (NewFile(), NewFile());
        var refs = new List<ObjectRef<int>>();
        for (var i = 0; i < 200; i++)
            refs.Add(_ray.Jobs.Add.Remote(i, 1));
        var blocked = _ray.Jobs.Block.Remote(file, until);
        for (var i = 0; i < 200; i++)
            refs.Add(_ray.Jobs.Add.Remote(i, 1));

        var sums = await _ray.Get(refs).SoonAsync();

        Assert.Equal(400, sums.Length);
        Assert.False(blocked.IsReady);
        File.WriteAllText(until, "");
        await blocked.AsTask().SoonAsync();
    }

    [Fact]
    public async Task Tasks_ThatAreQuick_DoNotWaitForEachOthersAnswers()
    {
        await _ray.Get(Enumerable.Range(0, 2000).Select(n => _ray.Jobs.Add.Remote(n, n)));
        var workers = _ray.ListWorkers();

        Assert.InRange(workers.Count, 1, 2);
    }

    [Fact]
    public async Task Dispose_WithTasksThatRun_LeavesNoProcessAndNoFile()
    {
        var cluster = new DriverCluster(new() { NumCpus = 8, Isolation = Isolation.Process, WorkerCommand = [LocalAgentFixture.Executable, "worker"] }, ProgramWorkerLauncher.StartWorkers);
        var files = Enumerable.Range(0, 8).Select(_ => NewFile()).ToArray();
        var refs = files.Select(file => cluster.Jobs.Block.Remote(file, "/nowhere")).ToArray();
        foreach (var file in files)
            await PidInAsync(file);
        var workers = cluster.ListWorkers();
        Assert.Equal(8, workers.Count);
        Assert.All(workers, worker => Assert.Equal(("tasks", 1), (worker.Purpose, worker.Running)));
        Assert.All(workers, worker => Assert.InRange(worker.Memory, 1_000_000, long.MaxValue));
        Assert.All(workers, worker => Assert.True(File.Exists(worker.LogFile)));

        var clock = Stopwatch.StartNew();
        await cluster.DisposeAsync();

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"It took {clock.Elapsed}.");
        Assert.All(workers, worker => Assert.False(LinuxProcessInfo.Exists(worker.Pid)));
        Assert.All(workers, worker => Assert.False(Directory.Exists(Path.GetDirectoryName(worker.LogFile))));
        foreach (var reference in refs)
            await Assert.ThrowsAnyAsync<Exception>(() => reference.AsTask());
    }

    /// <summary>Memory that is short until a process has ended, and no longer: nothing else is stopped for it.</summary>
    private static SystemMemoryUsage ShortWhileThereIs(int pid) => new(pid != 0 && LinuxProcessInfo.Exists(pid) ? 95 : 50, 100);

    private static async Task<int> PidInAsync(string file)
    {
        await Eventually.TrueAsync(() => File.Exists(file) && ReadShared(file).Length > 0);
        return int.Parse(ReadShared(file), CultureInfo.InvariantCulture);
    }

    private static string ReadShared(string file)
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        return reader.ReadToEnd();
    }

    private static void Kill(int pid)
    {
        using var process = Process.GetProcessById(pid);
        process.Kill();
    }

    private string NewFile() => Path.Combine(_folder.FullName, Guid.NewGuid().ToString("n"));

    internal static class Travel
    {
        public static int Take(Action action) => action.Method.Name.Length;

        public static int Twice(int value) => value * 2;
    }

    private sealed class Call<T>(string method, params object?[] arguments) : MethodCall<T>
    {
        public override string Method => method;

        public override bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<T> result) => throw new NotSupportedException("It runs in a worker.");

        public override object?[] GetArguments() => arguments;
    }

    /// <summary>Writes nothing before it is opened.</summary>
    private sealed class GatedWriter : TextWriter
    {
        private readonly ManualResetEventSlim _gate = new();
        private int _count;

        public override System.Text.Encoding Encoding => System.Text.Encoding.UTF8;

        public int Count => Volatile.Read(ref _count);

        public void Open() => _gate.Set();

        public override void WriteLine(string? value)
        {
            _gate.Wait();
            Interlocked.Increment(ref _count);
        }

        protected override void Dispose(bool disposing)
        {
            _gate.Set();
            base.Dispose(disposing);
        }
    }
}
