using System.Diagnostics;
using System.Globalization;
using Serve;
using Serve.WorkflowBench;
using Serve.Workflows;
using Serve.Workflows.Storage;

// Usage: Serve.WorkflowBench [--quick] [WORKFLOWS] [WAITING]. Ratios compare rows of one run.
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var isQuick = args is ["--quick", ..];
args = isQuick ? args[1..] : args;
var workflows = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : isQuick ? 1000 : 4000;
var waiting = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : isQuick ? 10_000 : 100_000;
var folder = Directory.CreateTempSubdirectory("serve-workflow-bench-").FullName;
await using var ray = await Cluster.Init(new() { Observable = false });
try
{
    await Concurrent("warm-up", 500, isSynchronous: true);
    var durable = await Concurrent("durable", workflows, isSynchronous: true);
    var relaxed = await Concurrent("not synchronized", workflows, isSynchronous: false);
    Console.WriteLine($"| durable against not synchronized, steps/s | {durable.StepsPerSecond / relaxed.StepsPerSecond:0.00} x |");
    var chainOfFive = await Chain(5, 200);
    var longChain = await Chain(1000, 1);
    Console.WriteLine($"| CPU per step, one of 1,000 steps against ones of 5 | {longChain / chainOfFive:0.00} x |");
    await Starts(1000);
    await Memory(waiting);
}
finally
{
    Directory.Delete(folder, recursive: true);
}

async Task<(double StepsPerSecond, double CpuMicroseconds)> Concurrent(string name, int count, bool isSynchronous)
{
    await using var host = await ray.StartWorkflows(new() { Store = new SqliteWorkflowStore(Path.Combine(folder, $"{name}.db"), isSynchronous) });
    using var slots = new SemaphoreSlim(64);
    var cpu = Environment.CpuUsage.TotalTime;
    var clock = Stopwatch.StartNew();
    await Task.WhenAll(Enumerable.Range(0, count).Select(async i =>
    {
        await slots.WaitAsync();
        await host.BenchChain.Run(5, new() { Id = $"{i}" });
        slots.Release();
    }));
    var steps = count * 5;
    var (rate, used) = (steps / clock.Elapsed.TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / steps);
    Console.WriteLine($"| {name}, {count} workflows of 5 steps, 64 at a time | {rate:N0} steps/s, {used:0.0} us of CPU per step |");
    return (rate, used);
}

async Task<double> Chain(int steps, int count)
{
    await using var host = await ray.StartWorkflows(new() { Storage = Path.Combine(folder, $"chain-{steps}.db") });
    var cpu = Environment.CpuUsage.TotalTime;
    var clock = Stopwatch.StartNew();
    for (var i = 0; i < count; i++)
        await host.BenchChain.Run(steps, new() { Id = $"{i}" });
    var used = (Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / (steps * count);
    Console.WriteLine($"| {count} workflow(s) of {steps} steps, one after the other | {clock.Elapsed.TotalMilliseconds / (steps * count):0.00} ms and {used:0.0} us of CPU per step |");
    return used;
}

async Task Starts(int open)
{
    var database = Path.Combine(folder, "open.db");
    var empty = await Start(Path.Combine(folder, "empty.db"));
    await using (var host = await ray.StartWorkflows(new() { Storage = database }))
    {
        await Task.WhenAll(Enumerable.Range(0, open).Select(i => host.BenchWaiter.Start(i, new() { Id = $"{i}" })));
        await Task.Delay(500);
    }

    var full = await Start(database);
    Console.WriteLine($"| ready with {open} open workflows against an empty start | {full.TotalMilliseconds:0.0} ms against {empty.TotalMilliseconds:0.0} ms, {full / empty:0.00} x |");
    await using var resumed = await ray.StartWorkflows(new() { Storage = database });
    var clock = Stopwatch.StartNew();
    await resumed.SendEvent("0", "go", 1);
    await resumed.GetOutput<int>("0");
    Console.WriteLine($"| one of them gets an event, runs a step and ends | {clock.Elapsed.TotalMilliseconds:0.0} ms |");
}

async Task<TimeSpan> Start(string database)
{
    var best = TimeSpan.MaxValue;
    for (var i = 0; i < 5; i++)
    {
        var clock = Stopwatch.StartNew();
        await using var host = await ray.StartWorkflows(new() { Storage = database });
        best = clock.Elapsed < best ? clock.Elapsed : best;
    }

    return best;
}

async Task Memory(int count)
{
    await using var host = await ray.StartWorkflows(new() { Store = new SqliteWorkflowStore(Path.Combine(folder, "waiting.db"), isSynchronous: false) });
    var before = GC.GetTotalMemory(forceFullCollection: true);
    foreach (var chunk in Enumerable.Range(0, count).Chunk(2000))
        await Task.WhenAll(chunk.Select(i => host.BenchWaiter.Start(i, new() { Id = $"{i}" })));
    for (var previous = -1; host.InMemory != previous;)
    {
        previous = host.InMemory;
        await Task.Delay(500);
    }

    Console.WriteLine($"| {count:N0} waiting workflows | {(GC.GetTotalMemory(forceFullCollection: true) - before) / 1e6:0.0} MB managed memory, {host.InMemory} in memory |");
}
