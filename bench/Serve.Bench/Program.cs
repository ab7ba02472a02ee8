using Serve.Bench;

var sections = new Dictionary<string, (string What, Func<BenchOptions, Task> Run)>
{
    ["core"] = ("tasks, actors, maps and objects compared to TPL, multiprocessing and Dask", options => BenchProgramRunner.RunAsync("Serve.CoreBench", options)),
    ["onnx"] = ("models: overhead compared to InferenceSession, memory of equal models", options => BenchProgramRunner.RunAsync("Serve.OnnxBench", options)),
    ["batching"] = ("batching: cost for one caller, gain for many", options => BenchProgramRunner.RunAsync("Serve.BatchBench", options)),
    ["gym"] = ("steps per second of reinforcement learning environments, compared to Gymnasium", options => BenchProgramRunner.RunAsync("Serve.GymBench", options)),
    ["tune"] = ("search algorithms, reports and trials of tuning, compared to Optuna", options => BenchProgramRunner.RunAsync("Serve.TuneBench", options)),
    ["workflows"] = ("durable workflows: steps per second, CPU per step, start and memory", options => BenchProgramRunner.RunAsync("Serve.WorkflowBench", options)),
    ["inference"] = ("models over HTTP compared to a hand-written endpoint over InferenceSession, and Node.js", InferenceSection.RunAsync),
    ["throughput"] = ("requests/s and p99 compared to Kestrel, YARP, nginx and FastAPI", ThroughputSection.RunAsync),
    ["calls"] = ("handle calls in the same process and to a worker, compared to bare gRPC", HandleCallSection.RunAsync),
    ["models"] = ("loads of 20 multiplexed models with 3 slots, compared to an ideal LRU", MultiplexingSection.RunAsync),
    ["routing"] = ("routing policies, overload with two priorities, and a day of autoscaling on virtual time", options => BenchProgramRunner.RunAsync("Serve.RoutingBench", options)),
    ["scaling"] = ("autoscaling: its cost, a step of the load, and the first byte from zero replicas", ScalingSection.RunAsync),
    ["start"] = ("serve run of a built deployment until the first 200", NodeStartSection.RunAsync),
    ["memory"] = ("resident memory of an idle node", NodeMemorySection.RunAsync),
    ["kill"] = ("64 connections while a worker is killed every 5 s", WorkerKillSection.RunAsync),
};

var options = BenchOptions.Parse(args, sections.Keys);
if (options is null)
{
    Console.WriteLine("bench/run [--quick] [SECTION...]");
    foreach (var (name, section) in sections)
        Console.WriteLine($"  {name,-12} {section.What}");
    return 2;
}

Console.WriteLine($"{Environment.ProcessorCount} cores, .NET {Environment.Version}, {options.Rounds} rounds of {options.Seconds} s");
foreach (var name in options.Sections)
{
    Console.WriteLine();
    Console.WriteLine($"## {name}: {sections[name].What}");
    Console.WriteLine();
    await sections[name].Run(options);
}

return 0;
