using System.Diagnostics;

namespace Serve.CoreBench;

/// <summary>Gives contestants their turns: each once in every round, so that noise hits all alike, after rounds of warm-up that do not count.</summary>
internal static class InterleavedRounds
{
    /// <summary>The contestants' times in seconds, by contestant, then by round.</summary>
    public static Task<double[][]> RunAsync(int rounds, params Func<Task>[] contestants) => RunAsync(rounds, warmUp: 2, contestants);

    /// <summary>The same after so many rounds of warm-up.</summary>
    public static async Task<double[][]> RunAsync(int rounds, int warmUp, params Func<Task>[] contestants)
    {
        var times = contestants.Select(_ => new double[rounds]).ToArray();
        for (var round = -warmUp; round < rounds; round++)
        {
            for (var i = 0; i < contestants.Length; i++)
            {
                // What another contestant left behind is not this one's to collect.
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

    /// <summary>The median over the rounds of the quotient within each.</summary>
    public static double Ratio(double[] times, double[] to) => BenchmarkReport.Median(times.Zip(to, (mine, other) => mine / other));
}
