namespace Serve.CoreBench;

/// <summary>One function over 1,000,000 doubles.</summary>
internal static class ParallelMapRows
{
    public static async Task RunAsync(BenchmarkScale scale, BenchmarkReport report, PythonBaselines python)
    {
        await using var ray = await Cluster.Init();
        var items = Enumerable.Range(0, 1_000_000).Select(i => (double)i).ToArray();

        // A result array is located either in memory that was used before, or in memory whose pages the system provides at the first access, which
        // takes several times as long as the loop itself. About half of the rounds of each contestant are of either kind, so quartiles are compared
        // instead of ratios within a round. The warm-up is long enough for the profile-guided compilation of all loops.
        var times = await InterleavedRounds.RunAsync(scale.Rounds * 15, warmUp: 250, () => Loop(items), () => ray.Map(items, x => x * 10), () => Tpl(items, x => x * 10));
        var (used, fresh) = (times.Select(of => BenchmarkReport.Quantile(of, 0.25)).ToArray(), times.Select(of => BenchmarkReport.Quantile(of, 0.75)).ToArray());
        var (ratio, freshRatio) = (used[1] / used[0], fresh[1] / fresh[0]);
        report.Add("map of 1,000,000 doubles, `x * 10`, against a plain loop", "≤ 1.1 ×", $"{BenchmarkReport.Times(ratio)}, in fresh memory {BenchmarkReport.Times(freshRatio)}", Math.Max(ratio, freshRatio) <= 1.1,
            $"{Both(1)}; loop {Both(0)}; TPL `Parallel.For` {Both(2)}; Python `Pool.map` {python.Value("pool_map_ms")} ms, {python.Value("pool_map_ratio")} × its list comprehension",
            $"{BenchmarkReport.Times(used[2] / used[1])} TPL");

        string Both(int contestant) => $"{BenchmarkReport.Number(used[contestant] * 1000)} ms, fresh {BenchmarkReport.Number(fresh[contestant] * 1000)} ms";

        var width = Math.Min(2, Environment.ProcessorCount);
        await using var two = await Cluster.Init(new() { NumCpus = width });
        times = await InterleavedRounds.RunAsync(scale.IsQuick ? 2 : 3, () => Loop(items, BenchTasks.Microsecond), () => two.Map(items, BenchTasks.Microsecond), () => Tpl(items, BenchTasks.Microsecond, width));
        var faster = InterleavedRounds.Ratio(times[0], times[1]);
        report.Add($"the same where an element costs 1 us, {width} cores", "≥ 1.8 × faster", $"{BenchmarkReport.Times(faster)} faster", faster >= 1.8,
            $"{Milliseconds(times[1])}; loop {Milliseconds(times[0])}; TPL {Milliseconds(times[2])}", $"{BenchmarkReport.Times(InterleavedRounds.Ratio(times[2], times[1]))} TPL");

        await using var workers = await Cluster.Init(new() { Isolation = Isolation.Process });
        times = await InterleavedRounds.RunAsync(scale.Rounds, () => workers.Map(workers.BenchTasks.Ten, items));
        report.Add("map of 1,000,000 doubles, `x * 10`, in worker processes", "", Milliseconds(times[0]), true,
            $"Python `Pool.map` {python.Value("pool_map_ms")} ms", python.Inverse("pool_map_ms", BenchmarkReport.Median(times[0]) * 1000, "Pool"));
    }

    private static string Milliseconds(double[] times) => $"{BenchmarkReport.Number(BenchmarkReport.Median(times) * 1000)} ms";

    private static Task Loop(double[] items)
    {
        var results = new double[items.Length];
        for (var i = 0; i < items.Length; i++)
            results[i] = items[i] * 10;
        GC.KeepAlive(results);
        return Task.CompletedTask;
    }

    private static Task Loop(double[] items, Func<double, double> function)
    {
        var results = new double[items.Length];
        for (var i = 0; i < items.Length; i++)
            results[i] = function(items[i]);
        GC.KeepAlive(results);
        return Task.CompletedTask;
    }

    private static Task Tpl(double[] items, Func<double, double> function, int width = -1)
    {
        var results = new double[items.Length];
        Parallel.For(0, items.Length, new ParallelOptions { MaxDegreeOfParallelism = width }, i => results[i] = function(items[i]));
        GC.KeepAlive(results);
        return Task.CompletedTask;
    }
}
