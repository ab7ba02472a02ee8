using System.Diagnostics;
using Serve.Calls;
using Serve.Runtime.Clusters;
using Serve.Runtime.Execution;
using Serve.Runtime.Objects;
using Serve.Runtime.TestWorker;
using Serve.Runtime.Testing;
using Serve.Runtime.Workers.Processes;
using Serve.Runtime.Workers.Tests.Connections;

namespace Serve.Runtime.Workers.Tests.Processes;

/// <summary>Memory that a worker has mapped is reused only after the worker has unmapped it.</summary>
[Collection("Shared memory")]
public sealed class SlabWorkerTests : IAsyncLifetime, IAsyncDisposable
{
    private const int Count = 6_000_000;

    private readonly DriverCluster _cluster;
    private bool _isShort;

    public SlabWorkerTests() => _cluster = new(new()
    {
        WorkerCommand = [LocalAgentFixture.Executable, "worker"],
        Isolation = Isolation.Process,
        NumCpus = 1,
        MemoryUsageThreshold = 0.9,
    }, ProgramWorkerLauncher.StartWorkers)
    { ReadMemory = () => new SystemMemoryUsage(Volatile.Read(ref _isShort) && _cluster!.Objects.IdleBytes > 0 ? 95 : 50, 100) };

    public Task InitializeAsync() => Task.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Put_WorkerKeepsFreedArray_WorkerNeverSeesLaterOnes()
    {
        await KeepAndFree();

        for (var i = 0; i < 5; i++)
        {
            var next = _cluster.Put(ArrayJobs.Numbers(Count, 6 + i));
            Assert.Equal(6 + i, await Run<double>(nameof(ArrayJobs.First), next));
            _cluster.Free(next);
        }

        double[] expected = [5];
        Assert.Equal(expected, await Run<double[]>(nameof(ArrayJobs.MiddleOfKept)));
    }

    [Fact]
    public async Task Put_WorkerReleasedFreedArray_ReusesMemory()
    {
        var name = await KeepAndFree();

        await Eventually.TrueAsync(() =>
        {
            Assert.Equal(0, Run<int>(nameof(ArrayJobs.Drop)).GetAwaiter().GetResult());
            return PutAgain() == name;
        });
    }

    [Fact]
    public async Task Put_WorkerWithFreedArrayDied_ReusesMemory()
    {
        var name = await KeepAndFree();
        using var worker = Process.GetProcessById(Assert.Single(_cluster.ListWorkers()).Pid);

        worker.Kill();
        await worker.WaitForExitAsync().SoonAsync();

        Assert.Equal(name, PutAgain());
    }

    [Fact]
    public async Task MemoryThreshold_IdleMemory_IsReleasedWithoutKillingTasks()
    {
        var name = await KeepAndFree();
        Assert.Equal(Count * sizeof(double), _cluster.Objects.IdleBytes);

        Volatile.Write(ref _isShort, true);

        await Eventually.TrueAsync(() => _cluster.Objects.IdleBytes == 0);
        double[] expected = [5];
        Assert.Equal(expected, await Run<double[]>(nameof(ArrayJobs.MiddleOfKept)));
        Assert.NotEqual(name, PutAgain());
    }

    private async Task<string> KeepAndFree()
    {
        // Allows idle memory for two arrays.
        var other = _cluster.Put(ArrayJobs.Numbers(2 * Count, 4));
        var first = _cluster.Put(ArrayJobs.Numbers(Count, 5));
        Assert.Equal(1, await Run<int>(nameof(ArrayJobs.Keep), first));
        var name = NameOf(first);
        _cluster.Free(first);
        GC.KeepAlive(other);
        return name;
    }

    private string PutAgain()
    {
        var next = _cluster.Put(ArrayJobs.Numbers(Count, 6));
        var name = NameOf(next);
        _cluster.Free(next);
        return name;
    }

    private string NameOf(ObjectRef reference) => ((SharedMemoryObject)_cluster.Codec.EncodeObject(reference)).Describe().Name;

    private Task<T> Run<T>(string method, params object?[] arguments)
    {
        var attempt = new FakeTaskAttempt<T>(
            _cluster, new(typeof(ArrayJobs), method, false, new()), [.. arguments.Select(argument => argument is ObjectRef reference ? new ObjectRefArgument(reference) : argument)]);
        _cluster.Workers.Tasks.Start(attempt);
        return attempt.Result.SoonAsync();
    }
}
