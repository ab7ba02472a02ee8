using System.Diagnostics;
using System.Globalization;

namespace Serve.CoreBench;

/// <summary>From <c>Init</c> to the first result, each time in a new process.</summary>
internal static class ClusterStartRows
{
    public static async Task RunAsync(BenchmarkScale scale, BenchmarkReport report)
    {
        var inProcess = await Median("task", scale.Rounds);
        report.Add("start to first result, in-process", "≤ 20 ms", $"{BenchmarkReport.Number(inProcess)} ms", inProcess <= 20);
        var worker = await Median("worker", scale.Rounds);
        report.Add("start to first result of a worker", "≤ 300 ms", $"{BenchmarkReport.Number(worker)} ms", worker <= 300);
    }

    private static async Task<double> Median(string kind, int rounds)
    {
        var times = new List<double>();
        for (var round = -1; round < rounds; round++)
        {
            var start = new ProcessStartInfo(Environment.ProcessPath!, [.. Arguments(), "start", kind]) { RedirectStandardOutput = true };
            using var process = Process.Start(start)!;
            var output = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            if (process.ExitCode != 0)
                throw new InvalidOperationException($"The {kind} probe ended with {process.ExitCode}.");
            if (round >= 0)
                times.Add(double.Parse(output, CultureInfo.InvariantCulture));
        }

        return BenchmarkReport.Median(times);
    }

    // With `dotnet X.dll` the process is dotnet.
    private static string[] Arguments() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(ClusterStartRows).Assembly.Location] : [];
}
