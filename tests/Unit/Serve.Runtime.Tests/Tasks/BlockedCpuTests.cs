using Serve.Runtime.Clusters;
using Serve.Runtime.Testing;
using Serve.Runtime.TestWorker;
using Serve.Runtime.Workers.Processes;

namespace Serve.Runtime.Tests.Tasks;

/// <summary>CPUs that are held by code that does not end, or by holders that outlive the waiting task.</summary>
public sealed class BlockedCpuTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("serve-blocked-cpu-tests");
    private readonly RecordingLogger _log = new();

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Cancel_CodeInAWorkerIgnoresItsToken_IsReportedAndItsWorkerIsKilled()
    {
        await using var ray = Cluster(new() { NumCpus = 1, Isolation = Isolation.Process, CancellationGracePeriod = TimeSpan.FromSeconds(1) });
        var file = Path.Combine(_folder.FullName, "pid");
        var stuck = ray.Jobs.Block.Remote(file, Path.Combine(_folder.FullName, "never"));
        await Eventually.TrueAsync(() => File.Exists(file) && File.ReadAllText(file).Length > 0);
        var pid = int.Parse(File.ReadAllText(file), System.Globalization.CultureInfo.InvariantCulture);

        ray.Cancel(stuck);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stuck.AsTask().SoonAsync());
        Assert.Equal(3, await ray.Jobs.Add.Remote(1, 2).AsTask().SoonAsync());
        Assert.False(LinuxProcessInfo.Exists(pid));
        Assert.True(_log.Contains("its code still runs and keeps its CPU: it does not check its cancellation token. Its worker is killed in 500 ms"), string.Join("\n", _log.Lines));
        Assert.True(_log.Contains("ignored its cancellation for 1 s; its worker is killed"), string.Join("\n", _log.Lines));
    }

    [Fact]
    public async Task Cancel_CodeInAThreadIgnoresItsToken_IsReported()
    {
        await using var ray = Cluster(new() { NumCpus = 1, CancellationGracePeriod = TimeSpan.FromMilliseconds(200) });
        using var end = new ManualResetEventSlim();
        using var begun = new ManualResetEventSlim();
        var stuck = ray.Run(() =>
        {
            begun.Set();
            end.Wait(TimeSpan.FromSeconds(60));
            return 1;
        });
        Assert.True(begun.Wait(TimeSpan.FromSeconds(30)));

        ray.Cancel(stuck);

        await Eventually.TrueAsync(() => _log.Contains("It cannot be stopped from outside"));
        end.Set();
        await Eventually.TrueAsync(() => ray.AvailableResources["CPU"] == 1);
    }

    [Fact]
    public async Task Cancel_CodeEndsInTime_IsNotReported()
    {
        await using var ray = Cluster(new() { NumCpus = 1, CancellationGracePeriod = TimeSpan.FromMilliseconds(500) });
        using var begun = new ManualResetEventSlim();
        var waiting = ray.Run(async stop =>
        {
            begun.Set();
            await Task.Delay(Timeout.Infinite, stop);
        });
        Assert.True(begun.Wait(TimeSpan.FromSeconds(30)));
        ray.Cancel(waiting);
        await Eventually.TrueAsync(() => ray.AvailableResources["CPU"] == 1);

        await Task.Delay(TimeSpan.FromMilliseconds(400));
        Assert.Empty(_log.Lines);
    }

    // The group may live until the task has ended, and the task waits for its child.
    [Fact]
    public async Task Submit_ChildNextToAGroupThatHoldsAllCpus_IsReported()
    {
        await using var ray = Cluster(new() { NumCpus = 1 });
        await using var group = ray.CreatePlacementGroup([new() { Cpus = 1 }]);
        await group.Ready;
        var parent = ray.Run(async () => await Serve.Cluster.Current.Run(static () => 7), new() { Scheduling = group.Bundle(), Name = "parent" });

        await Eventually.TrueAsync(() => _log.Contains("but actors and placement groups hold so much CPU that it cannot start"));
        Assert.Single(_log.Lines);

        await group.DisposeAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => parent.AsTask().SoonAsync());
    }

    [Fact]
    public async Task Start_NoWorkersAvailable_TaskStreamAndActorFailWithTheReason()
    {
        await using var ray = new DriverCluster(new() { NumCpus = 1, Isolation = Isolation.Process }, static _ => throw new NotSupportedException("It is published as a single file."), logger: _log);

        Assert.Contains("It is published as a single file.", (await Assert.ThrowsAsync<WorkerDiedException>(() => ray.Jobs.Add.Remote(1, 2).AsTask().SoonAsync())).Message, StringComparison.Ordinal);
        var actor = ray.CountActor.Remote(0);
        Assert.Contains("It is published as a single file.", (await Assert.ThrowsAnyAsync<ServeException>(() => actor.Read.Remote().AsTask().SoonAsync())).Message, StringComparison.Ordinal);
        Assert.Equal(1, ray.AvailableResources["CPU"]);
    }

    [Theory]
    [InlineData("echo to output; echo to errors >&2; exit 3", "exited with code 3")]
    [InlineData("exec 0<&-; echo to output; echo to errors >&2; sleep 0.2; exit 4", "exited with code 4")]
    public async Task Start_WorkerCommandExits_FailureHasItsCodeAndOutput(string script, string exit)
    {
        await using var ray = new DriverCluster(new() { NumCpus = 1, Isolation = Isolation.Process, WorkerCommand = ["/bin/sh", "-c", script] }, ProgramWorkerLauncher.StartWorkers, logger: _log);

        var failure = await Assert.ThrowsAsync<WorkerDiedException>(() => ray.Jobs.Add.Remote(1, 2).AsTask().SoonAsync());

        Assert.All(new[] { exit, "to output", "to errors" }, part => Assert.Contains(part, failure.Message, StringComparison.Ordinal));
    }

    private DriverCluster Cluster(ClusterOptions options) =>
        new(options with { WorkerCommand = [LocalAgentFixture.Executable, "worker"] }, ProgramWorkerLauncher.StartWorkers, logger: _log);
}
