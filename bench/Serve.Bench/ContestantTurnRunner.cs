using System.Globalization;

namespace Serve.Bench;

/// <summary>Runs each contestant once per round, so that noise affects all of them. Ratios are computed within a round; their median is quoted.</summary>
internal static class ContestantTurnRunner
{
    // Long enough for tiered compilation, even on a busy machine.
    private const int WarmUpRounds = 2;

    /// <summary>Measures the contestants and prints a table with ratios to the first one.</summary>
    public static async Task RunAsync(string title, int rounds, int seconds, IReadOnlyList<ContestantTurn> turns)
    {
        foreach (var turn in turns)
            await turn.Payload.WaitAsync(turn.Url);
        var scripts = turns.Select(turn => turn.Payload.Script()).ToArray();
        var reports = turns.Select(_ => new List<WrkReport>()).ToArray();
        var costs = turns.Select(_ => new List<double>()).ToArray();
        List<double> loads = [];
        for (var round = -WarmUpRounds; round < rounds; round++)
        {
            for (var index = 0; index < turns.Count; index++)
            {
                var turn = turns[index];
                var before = turn.Server.ProcessorTime();
                var report = await WrkLoadGenerator.RunAsync(turn.Url.ToString(), seconds, script: scripts[index]);
                // Requests that were in progress at the end may still be running.
                await turn.Server.IdleAsync(TimeSpan.FromSeconds(20));
                if (round < 0)
                    continue;
                reports[index].Add(report);
                costs[index].Add((turn.Server.ProcessorTime() - before).TotalMilliseconds / (report.RequestsPerSecond * seconds));
            }

            loads.Add(LoadAverage());
        }

        Console.WriteLine($"{title} ({rounds} rounds of {seconds} s, 32 connections, load average {Median(loads):0.0})");
        Console.WriteLine();
        Console.WriteLine("| contestant | requests/s | p50 ms | p99 ms | CPU ms a request | failed | requests/s against the first | p99 against the first |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var (turn, runs, cost) in turns.Zip(reports, costs))
        {
            var rate = Median(runs.Zip(reports[0], (mine, first) => mine.RequestsPerSecond / first.RequestsPerSecond));
            var p99 = Median(runs.Zip(reports[0], (mine, first) => mine.P99Ms / first.P99Ms));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {turn.Name} | {Median(runs.Select(run => run.RequestsPerSecond)):N1} | {Median(runs.Select(run => run.P50Ms)):0.00} | {Median(runs.Select(run => run.P99Ms)):0.00} | {Median(cost):0.000} | {runs.Sum(run => run.Failed)} | {rate:0.00} × | {p99:0.00} × |"));
        }

        Console.WriteLine();
    }

    private static double LoadAverage() => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}

/// <summary>One contestant with its request.</summary>
/// <param name="Name">Name in the table.</param>
/// <param name="Server">The server process.</param>
/// <param name="Path">Path of the requests.</param>
/// <param name="Payload">The request body.</param>
internal sealed record ContestantTurn(string Name, BenchContestant Server, string Path, HttpRequestPayload Payload)
{
    public Uri Url => new($"http://127.0.0.1:{Server.Port}{Path}");
}
