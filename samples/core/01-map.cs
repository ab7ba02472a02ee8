// x * 10 over 1,000,000 doubles: a loop, ray.Map, and Python's list comprehension and Pool.map if python3 is installed.
//
//     dotnet run -c Release samples/core/01-map.cs

await using var ray = await Cluster.Init();
var items = Enumerable.Range(0, 1_000_000).Select(i => (double)i).ToArray();

double[] looped = [];
double[] mapped = [];
var loop = await Best(() =>
{
    looped = new double[items.Length];
    for (var i = 0; i < items.Length; i++)
        looped[i] = items[i] * 10;
    return Task.CompletedTask;
});
var map = await Best(async () => mapped = await ray.Map(items, x => x * 10));

Console.WriteLine($"plain loop                {loop,8:0.0} ms");
Console.WriteLine($"ray.Map                   {map,8:0.0} ms");
Console.WriteLine(looped.SequenceEqual(mapped) ? $"{mapped.Length} equal results, the last is {mapped[^1]}" : "THE RESULTS DIFFER");

// For expensive elements, Map uses all CPUs.
var slowLoop = await Best(() => Task.FromResult(Array.ConvertAll(items[..100_000], Microsecond)), 2);
var slowMap = await Best(() => ray.Map(items[..100_000], Microsecond), 2);
Console.WriteLine($"1 us per element: loop     {slowLoop,8:0.0} ms, ray.Map {slowMap:0.0} ms, {slowLoop / slowMap:0.00} x faster on {Environment.ProcessorCount} CPUs");

await Python();

static double Microsecond(double x)
{
    var end = Stopwatch.GetTimestamp() + (Stopwatch.Frequency / 1_000_000);
    while (Stopwatch.GetTimestamp() < end)
    {
    }

    return x * 10;
}

static async Task<double> Best(Func<Task> work, int rounds = 20)
{
    var best = double.MaxValue;
    for (var round = 0; round < rounds; round++)
    {
        var began = Stopwatch.GetTimestamp();
        await work();
        best = Math.Min(best, Stopwatch.GetElapsedTime(began).TotalMilliseconds);
    }

    return best;
}

static async Task Python()
{
    const string Script = """
        import multiprocessing, os, time
        def ten(x): return x * 10
        if __name__ == '__main__':
            items = [float(i) for i in range(1000000)]
            t = time.perf_counter(); [ten(x) for x in items]; print(f"Python list comprehension {(time.perf_counter() - t) * 1000:8.1f} ms")
            with multiprocessing.Pool(os.cpu_count()) as pool:
                t = time.perf_counter(); pool.map(ten, items); print(f"Python Pool.map           {(time.perf_counter() - t) * 1000:8.1f} ms")
        """;
    try
    {
        using var python = Process.Start(new ProcessStartInfo("python3", ["-c", Script]))!;
        await python.WaitForExitAsync();
    }
    catch (System.ComponentModel.Win32Exception)
    {
        Console.WriteLine("Python is not installed");
    }
}
