using Serve.CoreBench;

if (args is ["start", var kind])
    return await StartProbe.RunAsync(kind);

var quick = args.Contains("--quick");
var only = args.FirstOrDefault(arg => !arg.StartsWith('-'));
var report = new Report(only);
var scale = new Scale(quick);
var python = await PythonPeers.RunAsync(scale, args.Contains("--no-peers") || only is "start" or "end");

await report.RunAsync("tasks", () => TaskRows.RunAsync(scale, report, python));
await report.RunAsync("actors", () => ActorRows.RunAsync(scale, report, python));
await report.RunAsync("map", () => MapRows.RunAsync(scale, report, python));
await report.RunAsync("objects", () => ObjectRows.RunAsync(scale, report, python));
await report.RunAsync("start", () => StartRows.RunAsync(scale, report));
await report.RunAsync("end", () => EndRows.RunAsync(report));
return report.Print();
