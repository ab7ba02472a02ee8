using Serve.Runtime.Clusters;
using Serve.Runtime.TestWorker;
using Serve.Runtime.Testing;
using Serve.Runtime.Workers.Processes;

namespace Serve.Runtime.Tests.Objects;

/// <summary>Results of tasks in workers whose spill files are lost.</summary>
[Collection("Shared memory")]
public sealed class LostObjectTests : IAsyncLifetime, IAsyncDisposable
{
    private const int Count = 50_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("serve-lost-test").FullName;
    private readonly DriverCluster _cluster;

    public LostObjectTests() => _cluster = new(new()
    {
        WorkerCommand = [LocalAgentFixture.Executable, "worker"],
        Isolation = Isolation.Process,
        NumCpus = 1,
        ObjectStoreMemory = Count * sizeof(double),
        SpillDirectory = _folder,
    }, ProgramWorkerLauncher.StartWorkers);

    public Task InitializeAsync() => Task.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Get_ResultLost_RerunsTask()
    {
        var reference = await LostAsync(maxRetries: 1);

        Assert.Equal(ArrayJobs.Numbers(Count, 3), await _cluster.Get(reference));
    }

    [Fact]
    public async Task Get_ResultLostWithoutRetries_Throws()
    {
        var reference = await LostAsync(maxRetries: 0);

        var thrown = await Assert.ThrowsAsync<ObjectLostException>(() => _cluster.Get(reference).AsTask());

        Assert.Contains("MaxRetries", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Submit_ArgumentLostOnOneCpu_IsRecomputed()
    {
        var reference = await LostAsync(maxRetries: 3);

        Assert.Equal(3, await _cluster.ArrayJobs.First.Remote(reference).AsTask().SoonAsync());
    }

    private async Task<ObjectRef<double[]>> LostAsync(int maxRetries)
    {
        var reference = _cluster.ArrayJobs.Numbers.Options(new() { MaxRetries = maxRetries }).Remote(Count, 3.0);
        await _cluster.Wait([reference]);
        var other = _cluster.Put(ArrayJobs.Numbers(Count, 1));
        File.Delete(Assert.Single(Directory.GetFiles(_folder, "*.object", SearchOption.AllDirectories)));
        _cluster.Free(other);
        return reference;
    }
}
