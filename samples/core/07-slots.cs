// 24 calls of half a second on 8 CPU slots: three rounds. The slots are a number to account with; that these tasks only wait is why eight of them fit on any machine.
//
//     dotnet run -c Release samples/core/07-slots.cs

await using var ray = await Cluster.Init(new() { NumCpus = 8 });

var began = Stopwatch.GetTimestamp();
var ends = await ray.Get(Enumerable.Range(0, 24).Select(i => ray.Demo.Wait.Remote(i, began)));
foreach (var round in ends.GroupBy(end => Math.Round(end / 0.5)).OrderBy(round => round.Key))
    Console.WriteLine($"{round.Count()} calls ended after {round.Average():0.00} s");
Console.WriteLine($"24 calls in {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");

/// <summary>The task.</summary>
internal static class Demo
{
    [Remote]
    public static async Task<double> Wait(int call, long began)
    {
        await Task.Delay(500);
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }
}
