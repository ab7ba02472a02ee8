using System.Diagnostics;

namespace Serve.CoreBench;

/// <summary>Shutdown of a cluster with eight workers.</summary>
internal static class ClusterShutdownRows
{
    public static async Task RunAsync(BenchmarkReport report)
    {
        var times = new List<double>();
        var left = new HashSet<string>();

        // A separate temporary folder, so that files of other programs are not counted.
        var folder = Directory.CreateTempSubdirectory("core-bench-");
        Environment.SetEnvironmentVariable("TMPDIR", folder.FullName);
        for (var round = 0; round < 3; round++)
        {
            var before = Everything();
            var ray = await Cluster.Init(new() { NumCpus = 8, Isolation = Isolation.Process });
            var shared = ray.Put(new double[1_000_000]);
            var workers = await ray.Get(Enumerable.Range(0, 8).Select(_ => ray.BenchTasks.WorkerId.Remote(500)));
            if (workers.Distinct().Count() != 8)
                throw new InvalidOperationException($"{workers.Distinct().Count()} workers ran, not 8.");
            await ray.Get(Enumerable.Range(0, 8).Select(_ => ray.BenchTasks.NoWork.Remote(shared)));
            var began = Stopwatch.GetTimestamp();
            await ray.DisposeAsync();
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            left.UnionWith(Everything().Except(before));
        }

        folder.Delete(recursive: true);
        var time = times.Max();
        report.Add("dispose with 8 workers, the slowest of three", "≤ 1 s, nothing left", $"{BenchmarkReport.Number(time)} ms, {(left.Count == 0 ? "nothing left" : $"left: {string.Join(", ", left)}")}",
            time <= 1000 && left.Count == 0);
    }

    private static HashSet<string> Everything() =>
    [
        .. ProcessTreeMemory.Children().Select(id => $"process {id}"),
        .. Directory.GetFiles("/proc/self/fd").Select(file => new FileInfo(file).LinkTarget ?? "").Where(target => target.Contains("memfd", StringComparison.Ordinal)),
        .. Directory.GetFileSystemEntries(Path.GetTempPath()),
        .. Directory.GetFileSystemEntries("/dev/shm"),
    ];
}
