using System.Runtime.CompilerServices;
using Serve.Runtime.Clusters;
using Serve.Runtime.TestWorker;
using Serve.Runtime.Testing;
using Serve.Runtime.Workers.Processes;

namespace Serve.Runtime.Tests.Tasks;

/// <summary>Failures of tasks and calls that no code waits for.</summary>
public sealed class UnobservedFailureTests
{
    private const string Report = "failed, and no code has waited for it";
    private readonly RecordingLogger _log = new();

    [Fact]
    public async Task Fail_ReferenceDropped_IsReported()
    {
        await using var ray = New();
        await DropAsync(ray, "dropped");

        await Eventually.TrueAsync(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return _log.Contains("dropped");
        });
        Assert.Contains(Report, Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fail_ReferenceKept_IsReportedOnDisposal()
    {
        ObjectRef<int> kept;
        await using (var ray = New())
        {
            kept = Start(ray, "kept");
            await Eventually.TrueAsync(() => ray.ListTasks().All(task => task.State == TaskPhase.Failed));
            Assert.Empty(_log.Lines);
        }

        Assert.Contains(Report, Assert.Single(_log.Lines), StringComparison.Ordinal);
        GC.KeepAlive(kept);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Fail_CodeHasWaited_IsNotReported(bool isReadyBefore)
    {
        await using (var ray = New())
        {
            var failed = Start(ray, "awaited");
            if (isReadyBefore)
                await Eventually.TrueAsync(() => failed.IsReady);
            await Assert.ThrowsAsync<FormatException>(async () => await failed);
        }

        Assert.Empty(_log.Lines);
    }

    private DriverCluster New() => new(new() { NumCpus = 1 }, ProgramWorkerLauncher.StartWorkers, logger: _log);

    private static ObjectRef<int> Start(DriverCluster ray, string message) => ray.Run(() => Throw(message));

    private static int Throw(string message) => throw new FormatException(message);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task DropAsync(DriverCluster ray, string message)
    {
        _ = Start(ray, message);
        await Eventually.TrueAsync(() => ray.ListTasks().All(task => task.State == TaskPhase.Failed));
    }
}
