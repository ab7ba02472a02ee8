using System.Diagnostics;
using System.Globalization;

namespace Serve.CoreBench;

/// <summary>Measures from <c>Init</c> to the first result in a new process without warm-up.</summary>
internal static class ClusterStartProbe
{
    public static async Task<int> RunAsync(string kind)
    {
        var began = Stopwatch.GetTimestamp();
        await using var ray = await Cluster.Init();
        var result = kind == "worker"
            ? await ray.BenchTasks.WorkerId.Options(new() { Isolation = Isolation.Process }).Remote(0)
            : await ray.BenchTasks.Empty.Remote();
        var time = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        if (kind == "worker" && result == Environment.ProcessId)
            return 1;
        Console.WriteLine(time.ToString("R", CultureInfo.InvariantCulture));
        return 0;
    }
}
