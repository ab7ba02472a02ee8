using System.Diagnostics;

namespace Serve.Bench;

/// <summary>Time from <c>./serve run</c> to the first response with status 200, for a deployment that has been built before.</summary>
internal static class NodeStartSection
{
    public static async Task RunAsync(BenchOptions options)
    {
        var times = new List<double>();
        for (var round = -1; round < options.Rounds; round++)
        {
            var started = Stopwatch.GetTimestamp();
            await using var serve = BenchContestant.Serve("serve", "deployments/Counter.cs", "none");
            await serve.WaitForAsync("/Counter", TimeSpan.FromSeconds(60));
            if (round >= 0)
                times.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        times.Sort();
        Console.WriteLine($"first 200 after {times[times.Count / 2]:0.00} s in the median (fastest {times[0]:0.00} s, slowest {times[^1]:0.00} s)");
    }
}
