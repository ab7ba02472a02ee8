// Disposing a cluster stops everything it started. This program checks for leftover processes, shared memory and files.
//
//     dotnet run -c Release samples/core/08-shutdown.cs

string[] FindResources() =>
[
    .. Directory.GetDirectories("/proc/self/task").SelectMany(task => File.ReadAllText($"{task}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(id => $"process {id}"),
    .. Directory.GetFiles("/proc/self/fd").Select(file => new FileInfo(file).LinkTarget ?? "").Where(target => target.Contains("memfd:serve", StringComparison.Ordinal)).Select(target => $"segment {target}"),
    .. Directory.GetFileSystemEntries(Path.GetTempPath(), "serve-*").Select(file => $"file {file}"),
    .. Directory.GetFileSystemEntries("/dev/shm").Where(file => file.Contains("serve", StringComparison.Ordinal)).Select(file => $"file {file}"),
];

var before = FindResources();
var ray = await Cluster.Init(new() { NumCpus = 8 });
var shared = ray.Put(new double[1_000_000]);
var workers = await ray.Get(Enumerable.Range(0, 8).Select(_ => ray.Demo.WorkerId.Options(new() { Isolation = Isolation.Process }).Remote(shared)));
var counter = ray.Counter.Options(new() { Isolation = Isolation.Process, Detached = true }).Remote();
await counter.Increment.Remote();
var running = ray.Demo.Forever.Options(new() { Isolation = Isolation.Process }).Remote();
Console.WriteLine($"{workers.Distinct().Count()} worker processes ran tasks; an actor and an endless task are running");
Console.WriteLine($"in use: {string.Join(", ", FindResources().Except(before).CountBy(what => what.Split(' ')[0]).Select(kind => $"{kind.Value} x {kind.Key}"))}");

var began = Stopwatch.GetTimestamp();
await ray.DisposeAsync();
Console.WriteLine($"shut down in {Stopwatch.GetElapsedTime(began).TotalMilliseconds:0} ms");

var left = FindResources().Except(before).ToArray();
Console.WriteLine(left.Length == 0 ? "nothing is left" : $"LEFT BEHIND: {string.Join(", ", left)}");
try
{
    await running;
}
catch (Exception ended) when (ended is ObjectDisposedException or ServeException)
{
    Console.WriteLine($"the task failed with: {ended.Message}");
}

return left.Length == 0 ? 0 : 1;

/// <summary>The tasks.</summary>
internal static class Demo
{
    [Remote]
    public static async Task<int> WorkerId(double[] numbers, CancellationToken stop)
    {
        await Task.Delay(200, stop);
        return numbers.Length == 1_000_000 ? Environment.ProcessId : throw new InvalidOperationException($"The array has {numbers.Length} numbers.");
    }

    [Remote]
    public static async Task<int> Forever(CancellationToken stop)
    {
        await Task.Delay(Timeout.Infinite, stop);
        return 0;
    }
}

/// <summary>The actor.</summary>
[Remote]
internal sealed class Counter
{
    private int count;

    public int Increment() => ++count;
}
