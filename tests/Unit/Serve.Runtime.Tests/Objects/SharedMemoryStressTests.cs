using Serve.Runtime.Clusters;
using Serve.Runtime.TestWorker;
using Serve.Runtime.Testing;
using Serve.Runtime.Workers.Processes;

namespace Serve.Runtime.Tests.Objects;

/// <summary>Shared memory under load: puts, reads, frees and spills, concurrently and in several processes. Bounded to a few seconds.</summary>
[Collection("Shared memory")]
public sealed class SharedMemoryStressTests
{
    private const int Count = 160_000;
    private const int KeptPerThread = 8;

    [Fact]
    public async Task PutReadFree_ThreadsAndWorkers_ReadersOnlySeeTheirOwnArray()
    {
        await using var cluster = new DriverCluster(new()
        {
            WorkerCommand = [LocalAgentFixture.Executable, "worker"],
            Isolation = Isolation.Process,
            NumCpus = 2,
            Observable = false,

            // Fewer than are kept, so that arrays are spilled and restored all the time.
            ObjectStoreMemory = 2 * KeptPerThread * Count * sizeof(double),
        }, ProgramWorkerLauncher.StartWorkers);
        Assert.Equal(1, await cluster.ArrayJobs.Single.Remote(cluster.Put(ArrayJobs.Numbers(Count, 1))));
        var end = Environment.TickCount64 + 4000;

        var rounds = await Task.WhenAll(Enumerable.Range(1, 3).Select(thread => Task.Run(() => RunAsync(cluster, thread, end))));

        Assert.All(rounds, count => Assert.True(count > 5, $"{count} rounds"));
    }

    private static async Task<int> RunAsync(DriverCluster cluster, int thread, long end)
    {
        var random = new Random(thread);
        var kept = new List<(ObjectRef<double[]> Reference, double Value)>();
        var round = 0;
        while (Environment.TickCount64 < end)
        {
            double value = (thread << 20) + ++round;
            kept.Add((cluster.Put(ArrayJobs.Numbers(Count + random.Next(Count / 4), value)), value));
            var (reference, expected) = kept[random.Next(kept.Count)];
            Assert.Equal(expected, random.Next(3) == 0 ? await cluster.ArrayJobs.Single.Remote(reference) : ArrayJobs.Single(await reference));
            if (kept.Count <= KeptPerThread)
                continue;

            // Freed while readers may still map it, or only dropped.
            var oldest = kept[0].Reference;
            kept.RemoveAt(0);
            if (random.Next(2) == 0)
                cluster.Free(oldest);
        }

        return round;
    }
}
