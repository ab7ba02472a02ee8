using Serve.Bench;

var sections = new Dictionary<string, (string What, Func<BenchOptions, Task> Run)>
{
    ["core"] = ("tasks, actors, maps and objects beside TPL, multiprocessing and Dask", CoreSection.RunAsync),
    ["onnx"] = ("models: what a call costs beside InferenceSession, what equal models share", OnnxSection.RunAsync),
    ["batching"] = ("what gathering calls costs one caller, and gains many", BatchingSection.RunAsync),
    ["inference"] = ("models over HTTP beside a hand-written endpoint over InferenceSession, and Node.js", InferenceSection.RunAsync),
    ["throughput"] = ("requests/s and p99 beside Kestrel, YARP, nginx and FastAPI", ThroughputSection.RunAsync),
    ["calls"] = ("handle calls in the same process and to a worker, beside bare gRPC", HandleCallSection.RunAsync),
    ["models"] = ("loads of 20 multiplexed models over 3 places, beside an ideal LRU", MultiplexingSection.RunAsync),
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
