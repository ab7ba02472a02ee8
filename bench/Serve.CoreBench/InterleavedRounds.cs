using System.Diagnostics;

namespace Serve.CoreBench;

/// <summary>Runs each contestant once per round, so that noise affects all of them, after warm-up rounds.</summary>
internal static class InterleavedRounds
{
    /// <summary>Durations in seconds by contestant and round.</summary>
    public static Task<double[][]> RunAsync(int rounds, params Func<Task>[] contestants) => RunAsync(rounds, warmUp: 2, contestants);

    /// <summary>The same with a number of warm-up rounds.</summary>
    public static async Task<double[][]> RunAsync(int rounds, int warmUp, params Func<Task>[] contestants)
    {
        var times = contestants.Select(_ => new double[rounds]).ToArray();
        for (var round = -warmUp; round < rounds; round++)
        {
            for (var i = 0; i < contestants.Length; i++)
            {
                // Garbage of other contestants is collected before.
                GC.Collect();
                GC.WaitForPendingFinalizers();
                var began = Stopwatch.GetTimestamp();
                await contestants[i]();
                if (round >= 0)
                    times[i][round] = Stopwatch.GetElapsedTime(began).TotalSeconds;
            }
        }

        return times;
    }

    /// <summary>Median of the ratios within a round.</summary>
    public static double Ratio(double[] times, double[] to) => BenchmarkReport.Median(times.Zip(to, (mine, other) => mine / other));
}
