// Four tasks of half a second each. A loop that gets each result before it starts the next task is serial, because the program waits in
// between. Starting all tasks and then getting all results runs them in parallel.
//
//     dotnet run -c Release samples/core/03-get-loop-vs-batch.cs

await using var ray = await Cluster.Init(new() { NumCpus = 4 });

var began = Stopwatch.GetTimestamp();
var one = new List<int>();
for (var i = 0; i < 4; i++)
    one.Add(await ray.Get(ray.Demo.Slow.Remote(i)));
Console.WriteLine($"Get in a loop:  {Stopwatch.GetElapsedTime(began).TotalSeconds:0.00} s  [{string.Join(", ", one)}]");

began = Stopwatch.GetTimestamp();
var all = await ray.Get(Enumerable.Range(0, 4).Select(i => ray.Demo.Slow.Remote(i)));
Console.WriteLine($"one Get of all: {Stopwatch.GetElapsedTime(began).TotalSeconds:0.00} s  [{string.Join(", ", all)}]");

/// <summary>The task.</summary>
internal static class Demo
{
    [Remote]
    public static async Task<int> Slow(int x)
    {
        await Task.Delay(500);
        return x * x;
    }
}
