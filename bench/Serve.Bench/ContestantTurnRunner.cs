using System.Globalization;

namespace Serve.Bench;

/// <summary>Contestants in turn within each round, so that noise hits all alike; ratios are taken within a round and the median over the rounds is quoted.</summary>
internal static class ContestantTurnRunner
{
    // Tiered compilation has run by their end, on a busy machine too.
    private const int WarmUpRounds = 2;

    /// <summary>Measures and prints a table, with each one's figures against those of the first.</summary>
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
                // What was on its way when the time was over may still be computed.
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
