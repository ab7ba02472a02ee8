namespace Serve.CoreBench;

/// <summary>Calls of one actor by one caller: sequential, or pipelined.</summary>
internal static class ActorCallRows
{
    public static async Task RunAsync(BenchmarkScale scale, BenchmarkReport report, PythonBaselines python)
    {
        await using var ray = await Cluster.Init();
        var counter = ray.BenchCounter.Remote();
        var plain = new ChannelCounter();
        var few = scale.Of(400_000);
        var times = await InterleavedRounds.RunAsync(scale.Rounds, () => OneByOne(counter, few), () => Blocking(counter, few), () => OneByOne(plain, few));
        Add("actor calls in-process, one after the other, awaited", "≥ 1,000,000/s", 1_000_000, few, times[0], times[2], "dask_actor_calls");
        Add("the same, `GetResult`", "≥ 1,000,000/s", 1_000_000, few, times[1], times[2], "dask_actor_calls");

        var many = scale.Of(1_000_000);
        times = await InterleavedRounds.RunAsync(scale.Rounds, () => AllAtOnce(ray, counter, many), () => AllAtOnce(plain, many));
        Add("actor calls in-process, pipelined", "≥ 3,000,000/s", 3_000_000, many, times[0], times[1], "dask_actor_calls_pipelined");

        var distant = ray.BenchCounter.Options(new() { Isolation = Isolation.Process }).Remote();
        var sent = scale.Of(200_000);
        times = await InterleavedRounds.RunAsync(scale.Rounds, () => AllAtOnce(ray, distant, sent));
        Add("actor calls to a worker, pipelined", "≥ 80,000/s", 80_000, sent, times[0], null, "dask_actor_calls_pipelined");
        GC.KeepAlive(distant);

        void Add(string figure, string goal, double least, int count, double[] ours, double[]? channel, string dask)
        {
            var rate = count / BenchmarkReport.Median(ours);
            report.Add(figure, goal, BenchmarkReport.Rate(rate), rate >= least,
                (channel is null ? "" : $"a channel {BenchmarkReport.Rate(count / BenchmarkReport.Median(channel))}; ") + $"Dask {python.Rate(dask)}",
                (channel is null ? "" : $"{BenchmarkReport.Times(InterleavedRounds.Ratio(channel, ours))} the channel") + python.Against(dask, rate, "Dask", first: channel is null));
        }
    }

    private static async Task OneByOne(ActorHandle<BenchCounter> counter, int count)
    {
        for (var i = 0; i < count; i++)
            await counter.Increment.Remote();
    }

    private static Task Blocking(ActorHandle<BenchCounter> counter, int count)
    {
        for (var i = 0; i < count; i++)
            counter.Increment.Remote().GetResult();
        return Task.CompletedTask;
    }

    private static async Task OneByOne(ChannelCounter counter, int count)
    {
        for (var i = 0; i < count; i++)
            await counter.Increment();
    }

    private static async Task AllAtOnce(Cluster ray, ActorHandle<BenchCounter> counter, int count)
    {
        var refs = new ObjectRef<int>[count];
        for (var i = 0; i < refs.Length; i++)
            refs[i] = counter.Increment.Remote();
        await ray.Get(refs);
    }

    private static async Task AllAtOnce(ChannelCounter counter, int count)
    {
        var tasks = new Task<int>[count];
        for (var i = 0; i < tasks.Length; i++)
            tasks[i] = counter.Increment();
        await Task.WhenAll(tasks);
    }
}
