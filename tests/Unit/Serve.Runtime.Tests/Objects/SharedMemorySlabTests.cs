using System.Runtime.CompilerServices;
using Microsoft.Extensions.Time.Testing;
using Microsoft.Win32.SafeHandles;
using Serve.Runtime.Clusters;
using Serve.Runtime.Objects;
using Serve.Runtime.Serialization;
using Serve.Runtime.Tests.Serialization;
using Serve.Runtime.Workers.Processes;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Tests.Objects;

/// <summary>Memory of freed objects is reused unless a reader can still see it.</summary>
[Collection("Shared memory")]
public sealed class SharedMemorySlabTests : IAsyncLifetime, IAsyncDisposable
{
    private const int Count = 500_000;
    private const long Size = Count * sizeof(double);

    private readonly FakeTimeProvider _time = new();
    private readonly DriverCluster _cluster;

    public SharedMemorySlabTests() => _cluster = new(new() { Isolation = Isolation.Process, ObjectStoreMemory = 10 * Size }, ProgramWorkerLauncher.StartWorkers) { Time = _time };

    public Task InitializeAsync() => Task.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public void Put_SameSizeAsFreed_ReusesMemory()
    {
        var first = _cluster.Put(Numbers(1));
        var wire = Wire(first);
        _cluster.Free(first);
        Assert.Equal((0, Size), (_cluster.Objects.UsedBytes, _cluster.Objects.IdleBytes));

        var second = _cluster.Put(Numbers(2));

        Assert.Equal((wire.Name, wire.FileDescriptor), (Wire(second).Name, Wire(second).FileDescriptor));
        Assert.NotEqual(wire.Use, Wire(second).Use);
        Assert.Equal((Size, 0), (_cluster.Objects.UsedBytes, _cluster.Objects.IdleBytes));
        Assert.Equal(Numbers(2), Read(second));
    }

    [Theory]
    [InlineData(200_000, 201_000)]
    [InlineData(201_000, 200_000)]
    [InlineData(140_001, 140_002)]
    [InlineData(3_000_000, 3_100_000)]
    public void Put_SlightlyOtherSizeThanFreed_KeepsElements(int before, int count)
    {
        _cluster.Free(_cluster.Put(Numbers(7, before)));

        var reference = _cluster.Put(Numbers(1, count));

        Assert.Equal(0, _cluster.Objects.IdleBytes);
        Assert.Equal(Numbers(1, count), Read(reference));
        Assert.Equal(Math.Max(before, count) * sizeof(double), _cluster.Objects.UsedBytes);
        _cluster.Free(reference);
        Assert.Equal(0, _cluster.Objects.UsedBytes);
    }

    [Fact]
    public void Put_MuchShorterThanFreed_DoesNotReuseMemory()
    {
        var (one, other) = (_cluster.Put(Numbers(1)), _cluster.Put(Numbers(2)));
        _cluster.Free(one, other);

        var reference = _cluster.Put(Numbers(1, Count / 2));

        Assert.Equal((Size / 2, Size), (_cluster.Objects.UsedBytes, _cluster.Objects.IdleBytes));
        GC.KeepAlive(reference);
    }

    [Fact]
    public void Put_TwoDimensionalAfterOneDimensional_KeepsElements()
    {
        _cluster.Free(_cluster.Put(Numbers(1)));
        var square = new double[500, 1000];
        (square[0, 0], square[499, 999]) = (1, 2);

        var reference = _cluster.Put(square);

        var read = (double[,])Decode(Wire(reference), typeof(double[,]), lengths: [500, 1000]);
        Assert.Equal((1.0, 0.0, 2.0), (read[0, 0], read[250, 500], read[499, 999]));
    }

    [Fact]
    public unsafe void Put_AnotherProcessMapsTheFreedOne_ItKeepsWhatItHas()
    {
        var first = _cluster.Put(Numbers(1));
        var wire = Wire(first);
        nint mapped;
        using (var reader = OpenAsAnotherProcess(wire))
            mapped = LinuxSharedMemory.MapPrivate(reader, (nint)Size);
        _cluster.Free(first);

        var second = _cluster.Put(Numbers(2));

        Assert.NotEqual(wire.Name, Wire(second).Name);
        Assert.Equal(1, *(double*)(mapped + (nint)wire.Offset));
        LinuxSharedMemory.Unmap(mapped, (nint)Size);
        _cluster.Free(second);
        var third = _cluster.Put(Numbers(3));
        var fourth = _cluster.Put(Numbers(4));
        Assert.Equal(Numbers(3), Read(third));
        Assert.Equal(Numbers(4), Read(fourth));
    }

    [Fact]
    public void Put_OtherProcessUnmappedFreed_ReusesMemory()
    {
        var first = _cluster.Put(Numbers(1));
        var wire = Wire(first);
        var reader = OpenAsAnotherProcess(wire);
        _cluster.Free(first);

        reader.Dispose();

        Assert.Equal(wire.Name, Wire(_cluster.Put(Numbers(2))).Name);
    }

    [Fact]
    public async Task Put_FreedArrayInUseHere_KeepsElements()
    {
        var first = PutDropped(1);
        GC.Collect();
        var read = await _cluster.Get(first);
        _cluster.Free(first);

        var second = _cluster.Put(Numbers(2));

        Assert.Equal(Numbers(1), read);
        Assert.Equal(Numbers(2), Read(second));
    }

    [Fact]
    public async Task Put_FreedArrayInUseAsMemory_KeepsElements()
    {
        var first = _cluster.Put<ReadOnlyMemory<double>>(Numbers(1));
        var memory = ((SharedMemoryObject)_cluster.Codec.EncodeObject(first)).LoadMemory<double>();
        _cluster.Free(first);

        var second = _cluster.Put(Numbers(2));

        Assert.True(memory.Span.SequenceEqual(Numbers(1)));
        Assert.Equal(Numbers(2), await _cluster.Get(second));
    }

    [Fact]
    public async Task Put_FreedArrayNoLongerInUse_ReusesMemory()
    {
        var first = PutDropped(1);
        GC.Collect();
        var name = await ReadAndDrop(first);
        _cluster.Free(first);

        await Eventually.TrueAsync(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            var second = _cluster.Put(Numbers(2));
            var isSame = Wire(second).Name == name;
            Assert.Equal(Numbers(2), Read(second));
            _cluster.Free(second);
            return isSame;
        });

        [MethodImpl(MethodImplOptions.NoInlining)]
        async Task<string> ReadAndDrop(ObjectRef<double[]> reference)
        {
            Assert.Equal(1, (await _cluster.Get(reference))[0]);
            return Wire(reference).Name;
        }
    }

    [Fact]
    public void FromWire_FreedSegmentMemoryReused_Throws()
    {
        var first = _cluster.Put(Numbers(1));
        var late = Wire(first);
        _cluster.Free(first);
        var second = _cluster.Put(Numbers(2));
        Assert.Equal(late.Name, Wire(second).Name);

        Assert.Throws<ObjectLostException>(() => SharedMemorySegment.Open(late));
    }

    [Fact]
    public void FromWire_FreedSegmentMemoryIdle_Throws()
    {
        var first = _cluster.Put(Numbers(1));
        var late = Wire(first);
        _cluster.Free(first);
        Assert.Equal(Size, _cluster.Objects.IdleBytes);

        Assert.Throws<ObjectLostException>(() => SharedMemorySegment.Open(late));
    }

    [Fact]
    public void Put_Slab_IsSealedAgainstOtherWriters()
    {
        var reference = _cluster.Put(Numbers(1));
        using var opened = File.OpenHandle($"/proc/self/fd/{Wire(reference).FileDescriptor}", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

        Assert.Equal(-1, LinuxSharedMemory.MapShared(opened, (nint)Size));
        Assert.ThrowsAny<Exception>(() => RandomAccess.Write(opened, new byte[10], 100));
        Assert.Equal(Numbers(1), Read(reference));
    }

    [Fact]
    public async Task Put_ReferenceDropped_MemoryIsReused()
    {
        PutAndForget();
        await Eventually.TrueAsync(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return _cluster.Objects.IdleBytes == Size;
        });
        GC.Collect();
        GC.WaitForPendingFinalizers();

        var second = _cluster.Put(Numbers(2));

        Assert.Equal(0, _cluster.Objects.IdleBytes);
        Assert.Equal(Numbers(2), Read(second));

        [MethodImpl(MethodImplOptions.NoInlining)]
        void PutAndForget() => _ = PutDropped(1);
    }

    [Fact]
    public void Free_ManySizes_IdlePlusUsedStaysBelowRecentMaximum()
    {
        for (var i = 2; i <= 12; i++)
        {
            _cluster.Free(_cluster.Put(Numbers(i, Count * i / 4)));
            Assert.InRange(_cluster.Objects.IdleBytes, 1, Size * i / 4);
        }
    }

    [Fact]
    public void Put_StoreFullWithIdleMemory_ReleasesIdleAndSpillsNothing()
    {
        var many = Enumerable.Range(0, 9).Select(i => _cluster.Put(Numbers(i))).ToArray();
        _cluster.Free(many[..8]);
        Assert.Equal(8 * Size, _cluster.Objects.IdleBytes);

        var large = _cluster.Put(Numbers(1, 6 * Count));

        Assert.Equal(7 * Size, _cluster.Objects.UsedBytes);
        Assert.InRange(_cluster.Objects.IdleBytes, 0, 3 * Size);
        Assert.All(_cluster.ListObjects(), entry => Assert.Equal("shared_memory", entry.Location));
        GC.KeepAlive(large);
        GC.KeepAlive(many);
    }

    [Fact]
    public async Task Put_TooLong_RentedMemoryStaysIdle()
    {
        await using var full = new DriverCluster(new() { Isolation = Isolation.Process, ObjectStoreMemory = 2 * Size, SpillDirectory = "/proc/nothing" }, ProgramWorkerLauncher.StartWorkers) { Time = _time };
        var kept = full.Put(Numbers(1));
        full.Free(full.Put(Numbers(2)));

        Assert.Throws<InsufficientResourcesException>(() => full.Put(Numbers(3, Count + 500)));

        Assert.Equal((Size, Size), (full.Objects.UsedBytes, full.Objects.IdleBytes));
        GC.KeepAlive(kept);
    }

    [Fact]
    public void Put_AboveLimit_MemoryOfSpilledObjectIsReleased()
    {
        var before = OpenMemory();

        var references = Enumerable.Range(0, 13).Select(i => _cluster.Put(Numbers(i))).ToArray();

        Assert.Equal(3, _cluster.ListObjects().Count(entry => entry.Location == "disk"));
        Assert.Equal((before.Files + 10, before.Mappings + 10), OpenMemory());
        GC.KeepAlive(references);
    }

    [Fact]
    public void Free_NoFurtherPuts_ReleasesMemoryAfterTwoPeriods()
    {
        var before = OpenMemory();
        _cluster.Free(_cluster.Put(Numbers(1)));
        Assert.Equal((before.Files + 1, before.Mappings + 1), OpenMemory());

        _time.Advance(SharedMemorySlabPool.Period);
        Assert.Equal(Size, _cluster.Objects.IdleBytes);
        _time.Advance(SharedMemorySlabPool.Period);

        Assert.Equal(0, _cluster.Objects.IdleBytes);
        Assert.Equal(before, OpenMemory());
    }

    [Fact]
    public void Free_OccasionalPuts_KeepsIdleMemory()
    {
        for (var i = 0; i < 5; i++)
        {
            _cluster.Free(_cluster.Put(Numbers(1)));
            _time.Advance(SharedMemorySlabPool.Period);
            Assert.Equal(Size, _cluster.Objects.IdleBytes);
        }
    }

    [Fact]
    public async Task DisposeAsync_UsedAndIdleMemory_FreesAll()
    {
        var before = OpenMemory();
        var other = new DriverCluster(new() { Isolation = Isolation.Process }, ProgramWorkerLauncher.StartWorkers);
        var kept = other.Put(Numbers(1));
        other.Free(other.Put(Numbers(2)));
        Assert.Equal((before.Files + 2, before.Mappings + 2), OpenMemory());

        await other.DisposeAsync();

        Assert.Equal(before, OpenMemory());
        GC.KeepAlive(kept);
    }

    [Fact]
    public async Task Put_ManyThreads_ObjectsAreIndependent()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            for (var i = 0; i < 40; i++)
            {
                var number = (thread * 1000) + i;
                var reference = _cluster.Put(Numbers(number, 150_000 + (i * 100)));
                var read = Read(reference);
                Assert.Equal((number, number + read.Length - 1), (read[0], read[^1]));
                _cluster.Free(reference);
            }
        })));
        Assert.Equal(0, _cluster.Objects.UsedBytes);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ObjectRef<double[]> PutDropped(int first) => _cluster.Put(Numbers(first));

    private static double[] Numbers(int first, int count = Count) => [.. Enumerable.Range(first, count).Select(number => (double)number)];

    private SegmentDescriptor Wire(ObjectRef reference) => ((SharedMemoryObject)_cluster.Codec.EncodeObject(reference)).Describe();

    private static SafeFileHandle OpenAsAnotherProcess(SegmentDescriptor wire) =>
        File.OpenHandle($"/proc/self/fd/{wire.FileDescriptor}", FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    // Read through the file, so that no mapping remains in this process.
    private double[] Read(ObjectRef<double[]> reference)
    {
        var wire = ((SharedMemoryObject)_cluster.Codec.EncodeObject(reference)).Describe();
        using var opened = OpenAsAnotherProcess(wire);
        var bytes = new byte[wire.Length];
        Assert.Equal(bytes.Length, RandomAccess.Read(opened, bytes, wire.Offset));
        var read = new double[bytes.Length / sizeof(double)];
        Buffer.BlockCopy(bytes, 0, read, 0, bytes.Length);
        return read;
    }

    private static object Decode(SegmentDescriptor wire, Type type, long[] lengths)
    {
        var (codec, peer) = (new ObjectValueCodec([]) { Segments = new WorkerSharedMemory() }, new FakePeerReferenceResolver());
        return codec.Decode(WireValueConverter.FromWire(new() { Format = (int)EncodedValueFormat.Elements, Segment = WireValueConverter.ToWire(wire), Lengths = { lengths } }, type, codec, peer), type)!;
    }

    private static (int Files, int Mappings) OpenMemory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var name = $"memfd:serve-{Environment.ProcessId}-";
        return (
            Directory.GetFiles("/proc/self/fd").Count(file => new FileInfo(file).LinkTarget?.Contains(name, StringComparison.Ordinal) == true),
            File.ReadLines("/proc/self/maps").Count(line => line.Contains(name, StringComparison.Ordinal)));
    }
}
