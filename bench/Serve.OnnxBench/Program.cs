using Serve.OnnxBench;

var groups = new Dictionary<string, (string What, Func<bool, Task> Run)>
{
    ["overhead"] = ("RunAsync compared to InferenceSession.Run in a loop, 1 caller", CallOverheadGroup.RunAsync),
    ["sharing"] = ("memory per additional equal model in a process", WeightSharingGroup.RunAsync),
    ["threads"] = ("runs/s of concurrent callers, compared to InferenceSession.Run", ConcurrentCallersGroup.RunAsync),
};
var quick = args.Contains("--quick");
var named = args.Where(arg => arg != "--quick").ToArray();
if (named.Except(groups.Keys).Any())
{
    Console.WriteLine("Serve.OnnxBench [--quick] [GROUP...]");
    foreach (var (name, group) in groups)
        Console.WriteLine($"  {name,-12} {group.What}");
    return 2;
}

Console.WriteLine($"{Environment.ProcessorCount} cores, .NET {Environment.Version}");
foreach (var name in named.Length > 0 ? named : [.. groups.Keys])
{
    Console.WriteLine();
    Console.WriteLine($"## {name}: {groups[name].What}");
    Console.WriteLine();
    await groups[name].Run(quick);
}

return 0;
