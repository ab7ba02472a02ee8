using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Serve.CoreBench;

/// <summary>Large arrays between processes, and many references.</summary>
internal static class ObjectStoreRows
{
    private const int Elements = 25_000_000;

    public static async Task RunAsync(BenchmarkScale scale, BenchmarkReport report, PythonBaselines python)
    {
        await SharedArrayAsync(scale, report, python);
        await PutAsync(scale, report);
        await ManyRefsAsync(report);
    }

    private static async Task SharedArrayAsync(BenchmarkScale scale, BenchmarkReport report, PythonBaselines python)
    {
        await using var ray = await Cluster.Init(new() { Isolation = Isolation.Process });
        var array = new double[Elements];
        array.AsSpan().Fill(1);
        await ray.Get(Enumerable.Range(0, 40).Select(_ => ray.BenchTasks.WorkerId.Remote(5)));
        await ray.Get(Enumerable.Range(0, 20).Select(_ => ray.BenchTasks.NoWork.Remote(new double[1])));
        var times = new List<double>();
        var growth = new List<double>();
        for (var round = 0; round < scale.Rounds; round++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
            var before = ProcessTreeMemory.OfTree();
            var shared = ray.Put(array);
            var began = Stopwatch.GetTimestamp();
            var results = await ray.Get(Enumerable.Range(0, 20).Select(_ => ray.BenchTasks.NoWork.Remote(shared)));
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            growth.Add((ProcessTreeMemory.OfTree() - before) / 1e6);
            if (!results.All(value => value == 1))
                throw new InvalidOperationException("The results are wrong.");
            ray.Free(shared);
        }

        var (time, grown) = (BenchmarkReport.Median(times), BenchmarkReport.Median(growth));
        report.Add("a 200 MB array to 20 tasks in worker processes, after `Put`", "≤ 50 ms", $"{BenchmarkReport.Number(time)} ms", time <= 50,
            $"Python `Pool`, by value: {python.Value("pool_array_ms")} ms", python.Inverse("pool_array_ms", time, "Pool"));
        report.Add("the same: memory of the whole tree grows by", "≤ 210 MB", $"{BenchmarkReport.Number(grown)} MB", grown <= 210);
    }

    private static async Task PutAsync(BenchmarkScale scale, BenchmarkReport report)
    {
        await using var ray = await Cluster.Init(new() { Isolation = Isolation.Process });
        await ray.BenchTasks.Empty.Remote();
        var array = new double[Elements];
        array.AsSpan().Fill(1);
        var copy = new double[Elements];
        var times = await InterleavedRounds.RunAsync(
            scale.Rounds,
            () => Copy(array, copy),
            () => CopyToNew(array),
            () =>
            {
                ray.Free(ray.Put(array));
                return Task.CompletedTask;
            });
        var firsts = new double[scale.Rounds];
        for (var round = 0; round < firsts.Length; round++)
            firsts[round] = await FirstPutAsync(array);
        var bytes = Elements * 8 / 1e9;
        var (warm, fresh) = (InterleavedRounds.Ratio(times[0], times[2]), InterleavedRounds.Ratio(times[1], times[2]));
        report.Add("`Put` of 200 MB against `memcpy`, where an object of its size was freed before", "≥ 0.8 ×", BenchmarkReport.Times(warm), warm >= 0.8,
            $"{Speed(times[2])}; memcpy {Speed(times[0])}, into new memory {Speed(times[1])}", $"{BenchmarkReport.Times(fresh)} memcpy into new memory");
        report.Add("the first `Put` of 200 MB of a cluster", "", $"{BenchmarkReport.Times(InterleavedRounds.Ratio(times[0], firsts))} memcpy", true,
            $"{Speed(firsts)}; memcpy {Speed(times[0])}, into new memory {Speed(times[1])}", $"{BenchmarkReport.Times(InterleavedRounds.Ratio(times[1], firsts))} memcpy into new memory");

        string Speed(double[] seconds) => $"{BenchmarkReport.Number(bytes / BenchmarkReport.Median(seconds))} GB/s";
    }

    // This cluster has no freed memory to reuse.
    private static async Task<double> FirstPutAsync(double[] array)
    {
        await using var ray = await Cluster.Init(new() { Isolation = Isolation.Process });
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var began = Stopwatch.GetTimestamp();
        var reference = ray.Put(array);
        var time = Stopwatch.GetElapsedTime(began).TotalSeconds;
        ray.Free(reference);
        return time;
    }

    private static Task Copy(double[] from, double[] to)
    {
        from.AsSpan().CopyTo(to);
        return Task.CompletedTask;
    }

    // Fresh memory, whose pages the system provides at the first access and takes back immediately.
    private static unsafe Task CopyToNew(double[] from)
    {
        var to = (double*)NativeMemory.Alloc((nuint)from.Length, sizeof(double));
        from.AsSpan().CopyTo(new Span<double>(to, from.Length));
        NativeMemory.Free(to);
        return Task.CompletedTask;
    }

    private static async Task ManyRefsAsync(BenchmarkReport report)
    {
        await using var ray = await Cluster.Init();
        Make(ray, 10_000);
        var before = Settled();
        Make(ray, 1_000_000);
        await ray.Get(ray.BenchTasks.Empty.Remote());
        var after = Settled();
        var grown = (after - before) / 1e6;
        report.Add("1,000,000 refs created and dropped: managed memory grows by", "≤ 1 MB", $"{BenchmarkReport.Number(Math.Max(0, grown))} MB", grown <= 1);

        static void Make(Cluster ray, int count)
        {
            for (var i = 0; i < count; i++)
                ray.Put(i);
        }

        static long Settled()
        {
            for (var i = 0; i < 3; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }

            return GC.GetTotalMemory(forceFullCollection: true);
        }
    }
}
