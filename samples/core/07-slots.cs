// 24 calls of half a second on 8 CPU slots: three rounds. CPU slots are an accounting unit; eight of these tasks run on any machine, because they only wait.
//
//     dotnet run -c Release samples/core/07-slots.cs

await using var ray = await Cluster.Init(new() { NumCpus = 8 });

var began = Stopwatch.GetTimestamp();
var calls = await ray.Get(Enumerable.Range(0, 24).Select(i => ray.Demo.Wait.Remote(i, began)));
Console.WriteLine($"{calls.Length} calls in {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");

// A call of the next round starts when a call of this round has completed.
var left = calls.OrderBy(call => call.Began).ToArray();
for (var number = 1; left.Length > 0; number++)
{
    var firstEnd = left.Min(call => call.Ended);
    var round = left.TakeWhile(call => call.Began < firstEnd).ToArray();
    Console.WriteLine($"round {number}: {round.Length} calls, ended after {round.Average(call => call.Ended):0.00} s");
    left = left[round.Length..];
}

/// <summary>Start and end of a call, in seconds.</summary>
internal sealed record Call(double Began, double Ended);

/// <summary>The task.</summary>
internal static class Demo
{
    [Remote]
    public static async Task<Call> Wait(int call, long began)
    {
        var start = Stopwatch.GetElapsedTime(began);
        await Task.Delay(500);
        return new(start.TotalSeconds, Stopwatch.GetElapsedTime(began).TotalSeconds);
    }
}
