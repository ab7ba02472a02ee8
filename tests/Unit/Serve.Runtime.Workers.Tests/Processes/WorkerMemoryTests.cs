using Serve.Calls;
using Serve.Runtime.Clusters;
using Serve.Runtime.TestWorker;
using Serve.Runtime.Testing;
using Serve.Runtime.Workers.Processes;
using Serve.Runtime.Workers.Tests.Connections;

namespace Serve.Runtime.Workers.Tests.Processes;

/// <summary>Objects and values passed between this process and workers.</summary>
[Collection("Shared memory")]
public sealed class WorkerMemoryTests : IAsyncLifetime, IAsyncDisposable
{
    private const int Count = 6_000_000;

    private readonly DriverCluster _cluster = new(new()
    {
        WorkerCommand = [LocalAgentFixture.Executable, "worker"],
        Isolation = Isolation.Process,
        NumCpus = 2,
        Serializers = [new SealedTestValueSerializer()],
    }, ProgramWorkerLauncher.StartWorkers);

    public Task InitializeAsync() => Task.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Argument_PutArray_IsMappedInWorker()
    {
        var reference = _cluster.Put(ArrayJobs.Numbers(Count, 5));

        Assert.Equal(5, await Run<double>(nameof(ArrayJobs.First), reference));
        Assert.True(await Run<bool>(nameof(ArrayJobs.IsMapped), reference));
        Assert.Equal(Count * sizeof(double), _cluster.Objects.UsedBytes);
    }

    [Fact]
    public async Task ListObjects_BorrowedResult_ReturnsCreatingTask()
    {
        var made = _cluster.Run(static () => ArrayJobs.Numbers(Count, 5), new() { Isolation = Isolation.None, Name = "numbers" });
        var put = _cluster.Put(ArrayJobs.Numbers(Count, 6));
        Assert.Equal(5, await Run<double>(nameof(ArrayJobs.First), made));

        Assert.Equal(["numbers", "Put"], _cluster.ListObjects().Select(entry => entry.CreatedBy));
        GC.KeepAlive(put);
    }

    [Fact]
    public async Task Argument_PutArrayAsMemory_IsMappedInWorker()
    {
        var reference = _cluster.Put<ReadOnlyMemory<double>>(ArrayJobs.Numbers(Count, 5));

        Assert.Equal(5, await Run<double>(nameof(ArrayJobs.FirstOfMemory), reference));
        Assert.True(await Run<bool>(nameof(ArrayJobs.IsMemoryMapped), reference));
    }

    [Fact]
    public async Task Argument_TwoDimensionalArray_KeepsElements()
    {
        var square = new double[3000, 3000];
        square[0, 0] = 1;
        square[2999, 2999] = 2;

        Assert.Equal(3, await Run<double>(nameof(ArrayJobs.Corner), _cluster.Put(square)));
    }

    [Fact]
    public async Task Argument_SharedByTwentyTasks_UsesMemoryOnce()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Run<double>(nameof(ArrayJobs.First), new double[1])));
        var array = ArrayJobs.Numbers(10_000_000, 5);
        var growths = new List<long>();

        // A worker that starts during a round adds its own memory once. Memory kept by a task cannot be reused by the copy of the next round.
        for (var round = 0; round < 3; round++)
        {
            var before = ProcessMemoryReader.OfTree();
            var reference = _cluster.Put(array);
            var kept = Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Run<int>(nameof(ArrayJobs.Keep), reference)));
            Assert.All(await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Run<double>(nameof(ArrayJobs.First), reference))), first => Assert.Equal(5, first));
            await kept;
            growths.Add(ProcessMemoryReader.OfTree() + _cluster.Objects.UsedBytes - before);
            _cluster.Free(reference);
        }

        // At most half of a second array.
        Assert.InRange(growths.Min(), long.MinValue, (long)(1.5 * array.Length * sizeof(double)));
        GC.KeepAlive(array);
    }

    [Fact]
    public async Task Result_LargeArray_IsOwnedByDriverAndReleasedByWorker()
    {
        var attempt = Start<double[]>(nameof(ArrayJobs.Numbers), Count, 3.0);
        var array = await attempt.Result.SoonAsync();

        Assert.Equal(Count, array.Length);
        Assert.Equal(3, array[^1]);
        Assert.Equal(Count * sizeof(double), _cluster.Objects.UsedBytes);
        await Eventually.TrueAsync(() => Run<int>(nameof(ArrayJobs.OpenMemory)).GetAwaiter().GetResult() == 0);
        GC.KeepAlive(attempt);
    }

    [Fact]
    public async Task Result_TupleWithLargeArray_KeepsElements()
    {
        var (name, values) = await Run<(string, double[])>(nameof(ArrayJobs.Named), "n", Count);

        Assert.Equal("n", name);
        Assert.Equal(2, values[Count / 2]);
    }

    [Fact]
    public async Task Free_WorkerKeepsReference_FreesMemory()
    {
        Assert.Equal(5, await Run<double>(nameof(ArrayJobs.PutAndFree), ArrayJobs.Numbers(Count, 5)));

        await Eventually.TrueAsync(() => _cluster.Objects.UsedBytes == 0, () => $"{_cluster.Objects.UsedBytes}");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Put_InWorker_LivesUntilWorkerDropsItOrDies(bool dies)
    {
        var pid = await Run<int>(nameof(ArrayJobs.PutAndKeep), Count);
        Collect();
        Assert.Equal(Count * sizeof(double), _cluster.Objects.UsedBytes);
        Assert.Equal(1, Assert.Single(_cluster.ListObjects()).Borrowers);

        if (dies)
        {
            using var worker = System.Diagnostics.Process.GetProcessById(pid);
            worker.Kill();
        }

        await Eventually.TrueAsync(() =>
        {
            if (!dies)
                Run<int>(nameof(ArrayJobs.Drop)).GetAwaiter().GetResult();
            Collect();
            return _cluster.Objects.UsedBytes == 0;
        });
        Assert.Empty(_cluster.ListObjects());

        static void Collect()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    [Fact]
    public async Task Argument_RegisteredSerializer_IsUsedInWorker() =>
        Assert.Equal(9, await Run<int>(nameof(ArrayJobs.Reveal), SealedTestValue.Of(9)));

    [Fact]
    public async Task Argument_LargeArrayByValue_IsFreedAfterTask()
    {
        Assert.Equal(5, await Run<double>(nameof(ArrayJobs.First), ArrayJobs.Numbers(Count, 5)));

        await Eventually.TrueAsync(() => _cluster.Objects.UsedBytes == 0, () => $"{_cluster.Objects.UsedBytes}");
    }

    private Task<T> Run<T>(string method, params object?[] arguments) => Start<T>(method, arguments).Result.SoonAsync();

    private FakeTaskAttempt<T> Start<T>(string method, params object?[] arguments)
    {
        var attempt = new FakeTaskAttempt<T>(
            _cluster, new(typeof(ArrayJobs), method, false, new()), [.. arguments.Select(argument => argument is ObjectRef reference ? new ObjectRefArgument(reference) : argument)]);
        _cluster.Workers.Tasks.Start(attempt);
        return attempt;
    }
}
