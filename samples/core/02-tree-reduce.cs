// 100 tasks create 1,000 normally distributed numbers each; a tree of further tasks adds two arrays at a time. References are passed on, not values:
// this program reads only the last array.
//
//     dotnet run -c Release samples/core/02-tree-reduce.cs

await using var ray = await Cluster.Init();
var began = Stopwatch.GetTimestamp();

var data = new Queue<ObjectRef<double[]>>(Enumerable.Range(0, 100).Select(seed => ray.Demo.GenerateData.Remote(seed)));
while (data.Count > 1)
    data.Enqueue(ray.Demo.Aggregate.Remote(data.Dequeue(), data.Dequeue()));
double[] sum = await ray.Get(data.Dequeue());

Console.WriteLine($"100 tasks and 99 aggregations in {Stopwatch.GetElapsedTime(began).TotalMilliseconds:0.0} ms");
var expected = Enumerable.Range(0, 100).Select(Demo.GenerateData).Aggregate(Demo.Aggregate);
Console.WriteLine(sum.Zip(expected).All(pair => Math.Abs(pair.First - pair.Second) < 1e-9) ? "the sum is right" : "THE SUM IS WRONG");
Console.WriteLine($"standard deviation {Math.Sqrt(sum.Average(x => x * x) - Math.Pow(sum.Average(), 2)):0.0} of {sum.Length} sums, where 100 independent numbers have 10");

/// <summary>The tasks.</summary>
internal static class Demo
{
    [Remote]
    public static double[] GenerateData(int seed)
    {
        var random = new Random(seed);
        return Array.ConvertAll(new double[1000], _ => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
    }

    [Remote]
    public static double[] Aggregate(double[] x, double[] y) => [.. x.Zip(y, (a, b) => a + b)];
}
