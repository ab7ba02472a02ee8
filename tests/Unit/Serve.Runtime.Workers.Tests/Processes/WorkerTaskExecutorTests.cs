using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Serve.Runtime.Clusters;
using Serve.Runtime.Execution;
using Serve.Runtime.TestWorker;
using Serve.Runtime.Testing;
using Serve.Runtime.Workers.Processes;
using Serve.Runtime.Workers.Tests.Connections;

namespace Serve.Runtime.Workers.Tests.Processes;

public sealed class WorkerTaskExecutorTests : IAsyncLifetime, IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("serve-task-workers-tests");
    private readonly FakeTimeProvider _time = new();
    private readonly DriverCluster _cluster = new(new() { WorkerCommand = [LocalAgentFixture.Executable, "worker"] }, ProgramWorkerLauncher.StartWorkers);

    public Task InitializeAsync() => Task.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Start_Function_RunsInAnotherProcess()
    {
        var pid = Start<int>(nameof(Jobs.Pid));
        var sum = Start<int>(nameof(Jobs.Add), 1, 2);

        Assert.NotEqual(Environment.ProcessId, await pid.Result.SoonAsync());
        Assert.Equal(3, await sum.Result.SoonAsync());
        Assert.StartsWith("cluster", sum.WorkerId, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_FunctionThatThrows_FailsAsItsOwn()
    {
        var attempt = Start<int>(nameof(Jobs.Fail), "as asked");

        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(() => attempt.Result.SoonAsync());
        Assert.Equal("as asked", thrown.Message);
        Assert.Contains(nameof(Jobs.Fail), thrown.StackTrace, StringComparison.Ordinal);
        Assert.False(attempt.IsSystem);
    }

    [Fact]
    public async Task Start_WorkerExits_FailsAsTheSystems()
    {
        var attempt = Start<int>(nameof(Jobs.Crash));

        var thrown = await Assert.ThrowsAsync<WorkerDiedException>(() => attempt.Result.SoonAsync());
        Assert.Contains("code 7", thrown.Message, StringComparison.Ordinal);
        Assert.True(attempt.IsSystem);
    }

    [Fact]
    public async Task Tidy_WorkersIdleForAMinute_EndButThoseThatAreKept()
    {
        await using var tasks = new WorkerTaskExecutor(((ClusterWorkerProcesses)_cluster.Workers).OpenAsync, cpus: 1, prestarted: 1, _time);
        var pids = await RunSideBySideAsync(tasks, 2);

        _time.Advance(TimeSpan.FromSeconds(55));
        Assert.Equal(2, tasks.Count);
        Assert.Equal(pids, await RunSideBySideAsync(tasks, 2));

        _time.Advance(TimeSpan.FromSeconds(75));
        Assert.Equal(1, tasks.Count);
        var left = Assert.Single(await RunSideBySideAsync(tasks, 1));
        Assert.Contains(left, pids);
        await Eventually.TrueAsync(() => pids.Count(LinuxProcessInfo.Exists) == 1);
    }

    [Fact]
    public async Task Start_MoreThanThereMayBeWorkers_WaitForThose()
    {
        await using var tasks = new WorkerTaskExecutor(((ClusterWorkerProcesses)_cluster.Workers).OpenAsync, cpus: 1, prestarted: 0, _time) { MaxWorkers = 2 };
        var (files, until) = (NewFiles(4), NewFiles(1)[0]);
        var attempts = files.Select(file => Start<int>(tasks, nameof(Jobs.Block), file, until)).ToArray();
        Assert.Equal(2, tasks.Count);

        File.WriteAllText(until, "");

        var pids = await Task.WhenAll(attempts.Select(attempt => attempt.Result)).SoonAsync();
        Assert.InRange(pids.Distinct().Count(), 1, 2);
    }

    [Fact]
    public async Task DisposeAsync_WhatWaitsForAWorker_FailsAndSoDoesWhatComesLater()
    {
        var tasks = new WorkerTaskExecutor(((ClusterWorkerProcesses)_cluster.Workers).OpenAsync, cpus: 1, prestarted: 0, _time) { MaxWorkers = 0 };
        var waiting = Start<int>(tasks, nameof(Jobs.Pid));

        await tasks.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.Result.SoonAsync());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Start<int>(tasks, nameof(Jobs.Pid)).Result.SoonAsync());
        Assert.Equal(0, tasks.Count);
    }

    [Fact]
    public async Task Memory_AboveTheThresholdWhileWhatWasStoppedEnds_NothingElseIsStopped()
    {
        await using var tasks = new WorkerTaskExecutor(((ClusterWorkerProcesses)_cluster.Workers).OpenAsync, cpus: 2, prestarted: 0, _time);
        var (files, until) = (NewFiles(2), NewFiles(1)[0]);
        var attempts = files.Select(file => Start<int>(tasks, nameof(Jobs.Block), file, until)).ToArray();
        var pids = await Task.WhenAll(files.Select(PidInAsync));
        var looks = 0;
        await using var memory = new WorkerMemoryMonitor(tasks, Read, () => 0, 0.9, NullLogger.Instance, _time);

        _time.Advance(TimeSpan.FromMilliseconds(250));
        _time.Advance(TimeSpan.FromMilliseconds(250));

        // Its process may have gone between the two: that it is there still says that it had not.
        Assert.True(looks == 1 || !pids.All(LinuxProcessInfo.Exists), $"It looked {looks} times.");
        var stopped = await Assert.ThrowsAsync<TaskOutOfMemoryException>(() => attempts[1].Result.SoonAsync());
        Assert.Matches(@"95\.00 GiB of 100\.00 GiB of memory is in use .* Its worker used [1-9]\d* MiB\.", stopped.Message);
        File.WriteAllText(until, "");

        SystemMemoryUsage Read()
        {
            looks++;
            return new(95L << 30, 100L << 30);
        }
    }

    private async Task<int[]> RunSideBySideAsync(WorkerTaskExecutor tasks, int count)
    {
        var (files, until) = (NewFiles(count), NewFiles(1)[0]);
        var attempts = files.Select(file => Start<int>(tasks, nameof(Jobs.Block), file, until)).ToArray();
        await Task.WhenAll(files.Select(PidInAsync));
        File.WriteAllText(until, "");
        return [.. (await Task.WhenAll(attempts.Select(attempt => attempt.Result)).SoonAsync()).Order()];
    }

    private static async Task<int> PidInAsync(string file)
    {
        var pid = 0;
        await Eventually.TrueAsync(() => File.Exists(file) && int.TryParse(File.ReadAllText(file), out pid));
        return pid;
    }

    private string[] NewFiles(int count) => [.. Enumerable.Range(0, count).Select(_ => Path.Combine(_folder.FullName, Guid.NewGuid().ToString("n")))];

    private FakeTaskAttempt<T> Start<T>(string method, params object?[] arguments) => Start<T>(((ClusterWorkerProcesses)_cluster.Workers).Tasks, method, arguments);

    private FakeTaskAttempt<T> Start<T>(WorkerTaskExecutor tasks, string method, params object?[] arguments)
    {
        var attempt = new FakeTaskAttempt<T>(_cluster, new(typeof(Jobs), method, false, new()), arguments);
        tasks.Start(attempt);
        return attempt;
    }
}
