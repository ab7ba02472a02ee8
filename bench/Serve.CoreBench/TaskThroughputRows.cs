namespace Serve.CoreBench;

/// <summary>Empty tasks, submitted from one thread; all results are read at the end.</summary>
internal static class TaskThroughputRows
{
    public static async Task RunAsync(BenchmarkScale scale, BenchmarkReport report, PythonBaselines python)
    {
        await using (var ray = await Cluster.Init())
        {
            var count = scale.Of(1_000_000);
            var times = await InterleavedRounds.RunAsync(scale.Rounds, () => Ours(ray, count), () => Tpl(count));
            var (ours, tpl) = (count / BenchmarkReport.Median(times[0]), count / BenchmarkReport.Median(times[1]));
            report.Add("empty tasks, in-process, from one thread", "≥ 1,000,000/s", BenchmarkReport.Rate(ours), ours >= 1_000_000,
                $"TPL `Task.Run` {BenchmarkReport.Rate(tpl)}; Dask, threads: {python.Rate("dask_tasks_threads")}",
                $"{BenchmarkReport.Times(InterleavedRounds.Ratio(times[1], times[0]))} TPL{python.Against("dask_tasks_threads", ours, "Dask")}");
        }

        await using (var ray = await Cluster.Init(new() { Isolation = Isolation.Process }))
        {
            var count = scale.Of(200_000);
            var times = await InterleavedRounds.RunAsync(scale.Rounds, () => Ours(ray, count));
            var ours = count / BenchmarkReport.Median(times[0]);
            report.Add("empty tasks to worker processes", "≥ 60,000/s", BenchmarkReport.Rate(ours), ours >= 60_000,
                $"Python `Pool.apply_async` {python.Rate("pool_tasks")}; Dask, processes: {python.Rate("dask_tasks_processes")}",
                python.Against("pool_tasks", ours, "Pool", first: true) + python.Against("dask_tasks_processes", ours, "Dask"));
        }
    }

    private static async Task Ours(Cluster ray, int count)
    {
        var refs = new ObjectRef<int>[count];
        for (var i = 0; i < refs.Length; i++)
            refs[i] = ray.BenchTasks.Empty.Remote();
        await ray.Get(refs);
    }

    private static async Task Tpl(int count)
    {
        var tasks = new Task<int>[count];
        for (var i = 0; i < tasks.Length; i++)
            tasks[i] = Task.Run(BenchTasks.Empty);
        await Task.WhenAll(tasks);
    }
}
