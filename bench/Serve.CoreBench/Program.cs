using Serve.CoreBench;

if (args is ["start", var kind])
    return await ClusterStartProbe.RunAsync(kind);

var quick = args.Contains("--quick");
var only = args.FirstOrDefault(arg => !arg.StartsWith('-'));
var report = new BenchmarkReport(only);
var scale = new BenchmarkScale(quick);
var python = await PythonBaselines.RunAsync(scale, args.Contains("--no-peers") || only is "start" or "end");

await report.RunAsync("tasks", () => TaskThroughputRows.RunAsync(scale, report, python));
await report.RunAsync("actors", () => ActorCallRows.RunAsync(scale, report, python));
await report.RunAsync("map", () => ParallelMapRows.RunAsync(scale, report, python));
await report.RunAsync("objects", () => ObjectStoreRows.RunAsync(scale, report, python));
await report.RunAsync("values", () => ValueCodecRows.RunAsync(scale, report));
await report.RunAsync("start", () => ClusterStartRows.RunAsync(scale, report));
await report.RunAsync("end", () => ClusterShutdownRows.RunAsync(report));
return report.Print();
