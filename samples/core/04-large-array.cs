// A 5000 x 5000 array of doubles, 200 MB, as an argument of 20 tasks in worker processes: by Put, which stores it once in shared memory that all workers map, and
// by value, which stores it again for each call.
//
//     dotnet run -c Release samples/core/04-large-array.cs

await using var ray = await Cluster.Init(new() { NumCpus = 4, Isolation = Isolation.Process });
var array = new double[5000, 5000];
System.Runtime.InteropServices.MemoryMarshal.CreateSpan(ref array[0, 0], array.Length).Fill(1);
await ray.Get(Enumerable.Range(0, 20).Select(_ => ray.Demo.NoWork.Remote(new double[1, 1])));

// First, because arrays stored by value leave memory that the store would reuse.
await Measure("by Put  ", async () =>
{
    var began = Stopwatch.GetTimestamp();
    var shared = ray.Put(array);
    var put = Stopwatch.GetElapsedTime(began);
    var results = await ray.Get(Enumerable.Range(0, 20).Select(_ => ray.Demo.NoWork.Remote(shared)));
    Console.WriteLine($"Put alone took {put.TotalMilliseconds:0} ms, the 20 tasks {(Stopwatch.GetElapsedTime(began) - put).TotalMilliseconds:0} ms");
    GC.KeepAlive(shared);
    return results;
});
await Measure("by value", async () => await ray.Get(Enumerable.Range(0, 20).Select(_ => ray.Demo.NoWork.Remote(array))));

static async Task Measure(string what, Func<Task<double[]>> work)
{
    GC.Collect();
    GC.WaitForPendingFinalizers();
    var before = Memory();
    var most = before;
    using var over = new CancellationTokenSource();
    var watch = Task.Run(async () =>
    {
        while (!over.IsCancellationRequested)
        {
            most = Math.Max(most, Memory());
            await Task.Delay(5);
        }
    });
    var began = Stopwatch.GetTimestamp();
    var results = await work();
    var time = Stopwatch.GetElapsedTime(began);
    most = Math.Max(most, Memory());
    await over.CancelAsync();
    await watch;
    var isRight = results.All(value => value == 1);
    Console.WriteLine($"{what}: {time.TotalMilliseconds,6:0} ms, memory of all processes grew by {(most - before) / 1e6,5:0} MB{(isRight ? "" : ", AND THE RESULTS ARE WRONG")}");
}

// Memory of this program and its workers, and all shared memory, mapped or not.
static long Memory() => Directory.GetDirectories("/proc/self/task")
    .SelectMany(task => File.ReadAllText($"{task}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)).Append("self")
    .Sum(process => Read($"/proc/{process}/smaps_rollup", "Pss_Anon:")) + Read("/proc/meminfo", "Shmem:");

static long Read(string file, string name)
{
    try
    {
        var line = File.ReadLines(file).First(line => line.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line.AsSpan(name.Length, line.Length - name.Length - "kB".Length), System.Globalization.CultureInfo.InvariantCulture) * 1024;
    }
    catch (IOException)
    {
        return 0;
    }
}

/// <summary>The task.</summary>
internal static class Demo
{
    [Remote]
    public static double NoWork(double[,] array) => array[array.GetLength(0) - 1, array.GetLength(1) - 1];
}
