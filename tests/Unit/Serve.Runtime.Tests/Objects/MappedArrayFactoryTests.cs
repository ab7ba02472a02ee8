using System.Runtime;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Serve.Runtime.Objects;

namespace Serve.Runtime.Tests.Objects;

[Collection("Shared memory")]
public sealed class MappedArrayFactoryTests
{
    [Theory]
    [InlineData(1 << 18)]
    [InlineData(1 << 20)]
    [InlineData((1 << 22) + 7)]
    [InlineData(20_000_000)]
    public void Read_Array_MapsSegmentPages(int count)
    {
        using var segment = Create(Numbers(count));

        var array = (float[])MappedArrayFactory.Read(segment, typeof(float), sizeof(float), null);

        Assert.True(Numbers(count).AsSpan().SequenceEqual(array));
        Assert.Contains(MappedRanges(segment), range => range.From <= Middle(array) && Middle(array) < range.To);
    }

    [Fact]
    public void Read_TwoDimensionalArray_MapsSegmentPages()
    {
        var source = new double[3000, 3000];
        source[2999, 2999] = 7;
        source[0, 1] = 3;
        using var segment = Create(source);

        var array = (double[,])MappedArrayFactory.Read(segment, typeof(double), sizeof(double), [3000, 3000]);

        Assert.True(MemoryMarshal.CreateSpan(ref source[0, 0], source.Length).SequenceEqual(MemoryMarshal.CreateSpan(ref array[0, 0], array.Length)));
        Assert.Contains(MappedRanges(segment), range => range.From <= Middle(array) && Middle(array) < range.To);
    }

    [Fact]
    public void Read_ThenWrite_DoesNotChangeSegment()
    {
        using var segment = Create(Numbers(1 << 20));
        var array = (float[])MappedArrayFactory.Read(segment, typeof(float), sizeof(float), null);

        array.AsSpan().Fill(-1);

        Assert.True(Numbers(1 << 20).AsSpan().SequenceEqual((float[])MappedArrayFactory.Read(segment, typeof(float), sizeof(float), null)));
    }

    [Fact]
    public async Task Read_ArrayDropped_RestoresPages()
    {
        using var segment = Create(Numbers(1 << 20));
        Use(segment);
        Assert.NotEmpty(MappedRanges(segment));

        await Eventually.TrueAsync(() => Collected(() => MappedRanges(segment).Count == 0));

        [MethodImpl(MethodImplOptions.NoInlining)]
        static void Use(SharedMemorySegment segment) => Assert.Equal(1f, ((float[])MappedArrayFactory.Read(segment, typeof(float), sizeof(float), null))[1]);
    }

    /// <summary>The collector keeps a region with live arrays and reuses the space of the dropped array between them unchanged.</summary>
    [Fact]
    public async Task Read_ArrayDroppedBetweenOthers_RestoresPages()
    {
        using var segment = Create(Numbers(1 << 20));
        var others = new List<byte[]>();
        for (var i = 0; i < 8; i++)
        {
            others.Add(GC.AllocateUninitializedArray<byte>(1 << 20, pinned: true));
            Use(segment);
        }

        Assert.NotEmpty(MappedRanges(segment));

        await Eventually.TrueAsync(() => Collected(() => MappedRanges(segment).Count == 0), () => string.Join('\n', MappedRanges(segment)));
        GC.KeepAlive(others);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static void Use(SharedMemorySegment segment) => Assert.Equal(1f, ((float[])MappedArrayFactory.Read(segment, typeof(float), sizeof(float), null))[1]);
    }

    [Fact]
    public void Read_SegmentClosed_ArrayStaysValid()
    {
        var segment = Create(Numbers(1 << 20));
        var array = (float[])MappedArrayFactory.Read(segment, typeof(float), sizeof(float), null);

        segment.Dispose();

        Assert.True(Numbers(1 << 20).AsSpan().SequenceEqual(array));
    }

    /// <summary>Many threads create and drop arrays between others whose content is verified, under constantly compacting collections.</summary>
    [Fact]
    public void Read_ConcurrentCompactingCollections_NothingIsOverwritten()
    {
        var seconds = double.Parse(Environment.GetEnvironmentVariable("SERVE_TORTURE_SECONDS") ?? "3", System.Globalization.CultureInfo.InvariantCulture);
        using var small = Create(Numbers(1 << 19));
        using var large = Create(Numbers(12_000_000));
        var square = new double[2500, 2000];
        MemoryMarshal.CreateSpan(ref square[0, 0], square.Length).Fill(2.5);
        using var flat = Create(square);
        var wrong = 0;
        var rounds = 0;
        using var end = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        var threads = Enumerable.Range(0, 6).Select(seed => new Thread(() =>
        {
            var random = new Random(seed);
            var kept = new Queue<(Array Array, double Seed)>();
            while (!end.IsCancellationRequested)
            {
                var kind = random.Next(7);
                var mark = (double)random.Next(1, 1_000_000);
                kept.Enqueue(kind switch
                {
                    0 => (MappedArrayFactory.Read(small, typeof(float), 4, null), -1),
                    1 => (MappedArrayFactory.Read(large, typeof(float), 4, null), -1),
                    2 => (MappedArrayFactory.Read(flat, typeof(double), 8, [2500, 2000]), -2),
                    3 => (Filled(GC.AllocateUninitializedArray<double>(random.Next(1, 400_000), pinned: true), mark), mark),
                    4 => (Filled(new double[random.Next(1, 400_000)], mark), mark),
                    5 => (Zeroed(new double[random.Next(1, 4_000_000)]), 0),
                    _ => (Filled(new double[random.Next(1, 1000)], mark), mark),
                });
                if (kept.Count > random.Next(1, 12))
                {
                    var (array, expected) = kept.Dequeue();
                    if (!IsIntact(array, expected, random))
                        Interlocked.Increment(ref wrong);
                }

                Interlocked.Increment(ref rounds);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        while (!end.IsCancellationRequested)
        {
            GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
            GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
            GC.Collect(2, GCCollectionMode.Default, blocking: false);
            Thread.Yield();
        }

        threads.ForEach(thread => thread.Join());

        Assert.Equal(0, wrong);
        Assert.True(rounds > 20, $"{rounds} rounds");
        Console.WriteLine($"{rounds} arrays in {seconds} s");
    }

    private static bool IsIntact(Array array, double expected, Random random)
    {
        if (array is float[] numbers)
        {
            for (var i = random.Next(1000); i < numbers.Length; i += 997)
            {
                if (numbers[i] != i % 1000)
                    return false;
            }

            // Writes are private and disappear with the array.
            numbers.AsSpan(random.Next(numbers.Length)).Clear();
            return true;
        }

        var bytes = MemoryMarshal.CreateSpan(ref MemoryMarshal.GetArrayDataReference(array), array.Length * sizeof(double));
        return !MemoryMarshal.Cast<byte, double>(bytes).ContainsAnyExcept(expected == -2 ? 2.5 : expected);
    }

    private static double[] Filled(double[] array, double value)
    {
        Array.Fill(array, value);
        return array;
    }

    // New arrays must be zeroed, also where pages of a segment were mapped.
    private static double[] Zeroed(double[] array) => array.AsSpan().ContainsAnyExcept(0) ? throw new InvalidOperationException("A new array is not empty.") : array;

    private static bool Collected(Func<bool> condition)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return condition();
    }

    private static float[] Numbers(int count)
    {
        var numbers = new float[count];
        for (var i = 0; i < count; i++)
            numbers[i] = i % 1000;
        return numbers;
    }

    private static unsafe SharedMemorySegment Create(Array array)
    {
        fixed (byte* start = &MemoryMarshal.GetArrayDataReference(array))
            return SharedMemorySegment.Create(start, Buffer.ByteLength(array), array.Rank);
    }

    private static unsafe long Middle(Array array)
    {
        fixed (byte* start = &MemoryMarshal.GetArrayDataReference(array))
            return (long)start + (Buffer.ByteLength(array) / 2);
    }

    private static List<(long From, long To)> MappedRanges(SharedMemorySegment segment) =>
    [
        .. File.ReadLines("/proc/self/maps").Where(line => line.Contains(segment.Describe().Name + " ", StringComparison.Ordinal)).Select(line =>
        {
            var ends = line.Split(' ')[0].Split('-');
            return (Convert.ToInt64(ends[0], 16), Convert.ToInt64(ends[1], 16));
        }),
    ];
}
