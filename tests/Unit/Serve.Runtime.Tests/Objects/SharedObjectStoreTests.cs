using System.Runtime.CompilerServices;
using Serve.Runtime.Clusters;
using Serve.Runtime.Objects;
using Serve.Runtime.Serialization;
using Serve.Runtime.Tests.Serialization;
using Serve.Runtime.Workers.Processes;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Tests.Objects;

[Collection("Shared memory")]
public sealed class SharedObjectStoreTests : IDisposable
{
    private const int Count = 50_000;
    private const long Size = Count * sizeof(double);

    private readonly string _folder = Directory.CreateTempSubdirectory("serve-store-test").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Put_LargeArrayWithWorkers_IsInSharedMemoryOnce()
    {
        await using var cluster = new DriverCluster(new() { Isolation = Isolation.Process }, ProgramWorkerLauncher.StartWorkers);

        var reference = cluster.Put(Numbers(1));

        Assert.Equal(Size, cluster.Objects.UsedBytes);
        Assert.Same(cluster.Codec.EncodeObject(reference), cluster.Codec.EncodeObject(reference));
        Assert.Equal("shared_memory", Assert.Single(cluster.ListObjects()).Location);
    }

    [Fact]
    public async Task Put_LargeArrayWithoutWorkers_StaysInHeapUntilWorkerReadsIt()
    {
        await using var cluster = new DriverCluster(new(), ProgramWorkerLauncher.StartWorkers);
        var array = Numbers(1);

        var reference = cluster.Put(array);

        Assert.Null(reference.Stored);
        Assert.Same(array, await cluster.Get(reference));
        Assert.Equal(Size, cluster.Codec.EncodeObject(reference).Size);
        Assert.Equal(Size, cluster.Objects.UsedBytes);
    }

    [Fact]
    public async Task Get_PutArrayInUse_ReturnsSameInstance()
    {
        await using var cluster = new DriverCluster(new() { Isolation = Isolation.Process }, ProgramWorkerLauncher.StartWorkers);
        var array = Numbers(1);

        Assert.Same(array, await cluster.Get(cluster.Put(array)));
        GC.KeepAlive(array);
    }

    [Fact]
    public async Task Get_PutArrayDropped_ReturnsElements()
    {
        await using var cluster = new DriverCluster(new() { Isolation = Isolation.Process }, ProgramWorkerLauncher.StartWorkers);
        var reference = PutDropped(cluster);
        GC.Collect();

        Assert.Equal(Numbers(3), await cluster.Get(reference));
    }

    [Fact]
    public async Task Put_ReferenceDropped_MemoryIsFreed()
    {
        await using var cluster = new DriverCluster(new() { Isolation = Isolation.Process }, ProgramWorkerLauncher.StartWorkers);
        _ = PutDropped(cluster);
        Assert.Equal(Size, cluster.Objects.UsedBytes);

        await Eventually.TrueAsync(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return cluster.Objects.UsedBytes == 0;
        });
        Assert.Empty(cluster.ListObjects());
    }

    [Fact]
    public async Task Put_AboveLimit_SpillsAndRestoresOldest()
    {
        await using var cluster = Limited(3);
        var references = Enumerable.Range(0, 8).Select(number => cluster.Put(Numbers(number))).ToList();

        Assert.InRange(cluster.Objects.UsedBytes, Size, 3 * Size);
        Assert.Equal(["disk", "disk", "disk", "disk", "disk", "shared_memory", "shared_memory", "shared_memory"], cluster.ListObjects().Select(entry => entry.Location));
        for (var number = 0; number < references.Count; number++)
            Assert.Equal(Numbers(number), await cluster.Get(references[number]));
        Assert.InRange(cluster.Objects.UsedBytes, Size, 3 * Size);
    }

    [Fact]
    public async Task Put_AfterRestore_RestoredObjectIsNotSpilledNext()
    {
        await using var cluster = Limited(3);
        var references = Enumerable.Range(0, 4).Select(number => cluster.Put(Numbers(number))).ToList();
        Assert.Equal(Numbers(0), await cluster.Get(references[0]));

        references.Add(cluster.Put(Numbers(4)));

        Assert.Equal(["shared_memory", "disk", "disk", "shared_memory", "shared_memory"], cluster.ListObjects().Select(entry => entry.Location));
        GC.KeepAlive(references);
    }

    [Fact]
    public async Task Put_AboveLimitWithDroppedReferences_SpillsNothing()
    {
        await using var cluster = Limited(3);

        for (var i = 0; i < 20; i++)
            _ = PutDropped(cluster);

        Assert.Empty(Files());
    }

    [Fact]
    public async Task Put_PinnedObject_IsNotSpilled()
    {
        await using var cluster = Limited(2);
        var first = cluster.Put(Numbers(0));
        cluster.Codec.EncodeObject(first).Pin();

        var others = Enumerable.Range(1, 4).Select(number => cluster.Put(Numbers(number))).ToList();

        Assert.Equal("shared_memory", cluster.ListObjects()[0].Location);
        cluster.Codec.EncodeObject(first).Unpin();
        GC.KeepAlive(others);
    }

    [Fact]
    public async Task Put_LargerThanStore_Throws()
    {
        await using var cluster = Limited(1);

        var thrown = Assert.Throws<InsufficientResourcesException>(() => cluster.Put(new double[2 * Count]));

        Assert.True(thrown.IsPermanent);
        Assert.Contains("ObjectStoreMemory", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Put_DiskFull_ExceptionNamesPath()
    {
        await using var cluster = new DriverCluster(new() { Isolation = Isolation.Process, ObjectStoreMemory = Size, SpillDirectory = "/proc/nothing" }, ProgramWorkerLauncher.StartWorkers);
        var first = cluster.Put(Numbers(0));

        var thrown = Assert.Throws<InsufficientResourcesException>(() => cluster.Put(Numbers(1)));

        Assert.Contains("/proc/nothing", thrown.Message, StringComparison.Ordinal);
        Assert.Equal(Numbers(0), await cluster.Get(first));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Get_SpillFileLost_ThrowsWithReason(bool truncated)
    {
        await using var cluster = Limited(1);
        var first = cluster.Put(Numbers(0));
        var second = cluster.Put(Numbers(1));
        var file = Assert.Single(Files());
        if (truncated)
            File.WriteAllBytes(file, new byte[10]);
        else
            File.Delete(file);

        var thrown = await Assert.ThrowsAsync<ObjectLostException>(() => cluster.Get(first).AsTask());

        Assert.Contains(first.Id.ToString(), thrown.Message, StringComparison.Ordinal);
        Assert.Contains(file, thrown.Message, StringComparison.Ordinal);
        Assert.Equal(Numbers(1), await cluster.Get(second));
    }

    [Fact]
    public async Task Get_SpillFileOfTaskResultLost_IsRecomputed()
    {
        await using var cluster = Limited(1);
        var reference = cluster.Put(Numbers(0));
        var again = new ObjectRef<double[]>(cluster, cluster.NextId());
        var lineage = new FakeObjectLineage(again, () => again.TrySetStored(cluster.Codec.Encode(typeof(double[]), Numbers(0), "it")));
        ((SharedMemoryObject)cluster.Codec.EncodeObject(reference)).Lineage = lineage;
        var second = cluster.Put(Numbers(1));
        File.Delete(Assert.Single(Files()));

        Assert.Equal(Numbers(0), await cluster.Get(reference));
        Assert.Equal(1, lineage.Restarts);
        Assert.Equal(Numbers(0), await cluster.Get(reference));
        Assert.Equal(1, lineage.Restarts);
        GC.KeepAlive(second);
    }

    [Fact]
    public async Task Get_RecomputationFails_ExceptionNamesBothReasons()
    {
        await using var cluster = Limited(1);
        var reference = cluster.Put(Numbers(0));
        var again = new ObjectRef<double[]>(cluster, cluster.NextId());
        ((SharedMemoryObject)cluster.Codec.EncodeObject(reference)).Lineage = new FakeObjectLineage(again, () => again.TrySetException(new InvalidOperationException("no luck")));
        var second = cluster.Put(Numbers(1));
        var file = Assert.Single(Files());
        File.Delete(file);

        var thrown = await Assert.ThrowsAsync<ObjectLostException>(() => cluster.Get(reference).AsTask());

        Assert.Contains("no luck", thrown.Message, StringComparison.Ordinal);
        Assert.Contains(file, thrown.Message, StringComparison.Ordinal);
        GC.KeepAlive(second);
    }

    [Fact]
    public async Task Free_AnyKindOfObject_GetThrows()
    {
        await using var cluster = new DriverCluster(new() { Isolation = Isolation.Process }, ProgramWorkerLauncher.StartWorkers);
        ObjectRef<double[]> shared = cluster.Put(Numbers(0));
        ObjectRef<string> plain = cluster.Put("text");

        cluster.Free(shared, plain);

        Assert.Contains("freed", (await Assert.ThrowsAsync<ObjectLostException>(() => cluster.Get(shared).AsTask())).Message, StringComparison.Ordinal);
        Assert.Contains("freed", (await Assert.ThrowsAsync<ObjectLostException>(() => cluster.Get(plain).AsTask())).Message, StringComparison.Ordinal);
        Assert.Equal(0, cluster.Objects.UsedBytes);
        Assert.Empty(cluster.ListObjects());
    }

    [Fact]
    public async Task Free_ReferenceOfOtherCluster_Throws()
    {
        await using var one = new DriverCluster(new(), ProgramWorkerLauncher.StartWorkers);
        await using var other = new DriverCluster(new(), ProgramWorkerLauncher.StartWorkers);

        Assert.Throws<ArgumentException>(() => one.Free(other.Put(1)));
    }

    [Fact]
    public async Task DisposeAsync_ObjectsInMemoryAndOnDisk_FreesAll()
    {
        var before = OpenMemory();
        var cluster = Limited(2);
        var references = Enumerable.Range(0, 4).Select(number => cluster.Put(Numbers(number))).ToList();
        Assert.Equal(before + 2, OpenMemory());

        await cluster.DisposeAsync();

        Assert.Equal(before, OpenMemory());
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
        GC.KeepAlive(references);
    }

    [Fact]
    public async Task Put_MillionReferencesDropped_MemoryIsFreed()
    {
        await using var cluster = new DriverCluster(new(), ProgramWorkerLauncher.StartWorkers);
        var before = GC.GetTotalMemory(forceFullCollection: true);

        Fill(cluster);

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 2_000_000);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static void Fill(Cluster cluster)
        {
            var references = new ObjectRef<int>[1_000_000];
            for (var i = 0; i < references.Length; i++)
                references[i] = cluster.Put(i);
            Assert.Equal(999_999, references[^1].GetResult());
        }
    }

    [Fact]
    public async Task FromWire_SharedMemory_OutlivesSender()
    {
        await using var cluster = new DriverCluster(new() { Isolation = Isolation.Process }, ProgramWorkerLauncher.StartWorkers);
        var (reader, peer) = (new ObjectValueCodec([]) { Segments = new WorkerSharedMemory() }, new FakePeerReferenceResolver());
        var reference = cluster.Put(Numbers(4));

        var wire = WireValueConverter.ToWire(cluster.Codec.EncodeObject(reference), typeof(ReadOnlyMemory<double>), peer);
        wire.Type = "";
        var memory = (ReadOnlyMemory<double>)reader.Decode(WireValueConverter.FromWire(wire, typeof(ReadOnlyMemory<double>), reader, peer), typeof(ReadOnlyMemory<double>))!;
        cluster.Free(reference);

        Assert.True(memory.Span.SequenceEqual(Numbers(4)));
    }

    [Fact]
    public async Task FromWire_ClosedBySender_Throws()
    {
        await using var cluster = new DriverCluster(new() { Isolation = Isolation.Process }, ProgramWorkerLauncher.StartWorkers);
        var reference = cluster.Put(Numbers(4));
        var wire = WireValueConverter.ToWire(cluster.Codec.EncodeObject(reference), typeof(double[]), new FakePeerReferenceResolver());
        cluster.Free(reference);
        var other = cluster.Put(Numbers(5));

        Assert.Throws<ObjectLostException>(() => WireValueConverter.FromWire(wire, typeof(double[]), new ObjectValueCodec([]) { Segments = new WorkerSharedMemory() }, new FakePeerReferenceResolver()));
        GC.KeepAlive(other);
    }

    [Fact]
    public async Task Store_NoAnonymousMemory_UsesTemporaryFiles()
    {
        SharedMemorySegment.InMemory = false;
        try
        {
            var cluster = new DriverCluster(new() { Isolation = Isolation.Process }, ProgramWorkerLauncher.StartWorkers);
            var reference = PutDropped(cluster);
            Assert.Equal(Numbers(3), await cluster.Get(reference));
            Assert.NotEmpty(TemporaryFiles());

            await cluster.DisposeAsync();

            Assert.Empty(TemporaryFiles());
        }
        finally
        {
            SharedMemorySegment.InMemory = OperatingSystem.IsLinux();
        }

        static string[] TemporaryFiles() => Directory.GetFiles(Path.GetTempPath(), $"serve-{Environment.ProcessId}-*.segment");
    }

    private sealed class FakeObjectLineage(ObjectRef again, Action make) : IObjectLineage
    {
        public int Restarts { get; private set; }

        public ObjectRef? Restart()
        {
            Restarts++;
            return again;
        }

        public void Wait(ObjectRef pending)
        {
            Assert.Same(again, pending);
            make();
        }
    }

    private DriverCluster Limited(int objects) => new(new() { Isolation = Isolation.Process, ObjectStoreMemory = objects * Size, SpillDirectory = _folder }, ProgramWorkerLauncher.StartWorkers);

    private string[] Files() => Directory.GetFiles(_folder, "*.object", SearchOption.AllDirectories);

    private static double[] Numbers(int first) => [.. Enumerable.Range(first, Count).Select(number => (double)number)];

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ObjectRef<double[]> PutDropped(DriverCluster cluster) => cluster.Put(Numbers(3));

    private static int OpenMemory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Directory.GetFiles("/proc/self/fd").Count(file => new FileInfo(file).LinkTarget?.Contains($"memfd:serve-{Environment.ProcessId}-", StringComparison.Ordinal) == true);
    }
}
