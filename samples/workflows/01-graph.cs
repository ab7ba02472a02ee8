// Ray's style: functions are bound to a graph, which runs as a durable workflow. Run it twice: the second run reads the results from the log.
//
//     dotnet run -c Release samples/workflows/01-graph.cs

await using var ray = await Cluster.Init();
await using var workflows = await ray.StartWorkflows(new() { Storage = Path.Combine(Path.GetTempPath(), "serve-sample-graph.db") });

var data = ray.Numbers.ReadData.Bind(10);
var sum = ray.Numbers.Aggregate.Bind(ray.Numbers.Preprocess.Bind(data));
Console.WriteLine($"sum: {await workflows.Run(sum, id: "sum")}");
Console.WriteLine($"10! = {await workflows.Run(ray.Numbers.Factorial.Bind(10), id: "factorial")}");

foreach (var step in workflows.GetHistory("sum"))
    Console.WriteLine($"{step.Name}: {step.Ended - step.Started}");

public static class Numbers
{
    [Remote]
    public static int[] ReadData(int count)
    {
        Console.WriteLine("reading data; not printed in the second run");
        return [.. Enumerable.Range(1, count)];
    }

    [Remote]
    public static int[] Preprocess(int[] data) => [.. data.Select(x => x * x)];

    [Remote]
    public static double Aggregate(int[] data) => data.Sum();

    [Remote]
    public static long Multiply(long a, long b) => a * b;

    /// <summary>Continues with another graph, which replaces the call.</summary>
    [Remote]
    public static Workflow<long> Factorial(long n) => n == 1
        ? Workflow.Value(1L)
        : Workflow.Continue(Cluster.Current.Numbers.Multiply.Bind(n, Cluster.Current.Numbers.Factorial.Bind(n - 1)));
}
