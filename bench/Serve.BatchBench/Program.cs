using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Serve;
using Serve.BatchBench;
using Serve.Calls;
using Serve.Replica;
using Serve.Nodes;
using Serve.Replicas;
using Serve.Routes;
using Serve.Routing;
using Serve.Runtime;
using Serve.Specs;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
Type[] classes = [typeof(BatchCallDriver), typeof(BatchedModel)];
var logs = Directory.CreateTempSubdirectory("serve-batch-bench-").FullName;
// The folder of this assembly, as a package whose hash is its name.
var package = Path.GetDirectoryName(typeof(BatchCallDriver).Assembly.Location)!;
var services = new ServiceCollection()
    .AddServeRuntime(new NodeRuntimeOptions())
    .AddServeRouting(provider => replica => provider.GetRequiredService<IActorReferenceResolver>().Resolve(new ActorId(replica.ReplicaId), new(replica.Address.ProcessId)))
    .AddServeReplicas(new(Path.GetDirectoryName(package)!, logs))
    .BuildServiceProvider();
var runtime = services.GetRequiredService<INodeAgent>();
var processes = await Task.WhenAll(classes.Select(type => runtime.CreateActorAsync(new ActorSpec
{
    Id = new ActorId($"bench#{type.Name}#r1"),
    Kind = ReplicaStartRequest.ActorKind,
    MaxOngoing = 1000,
    Payload = JsonSerializer.SerializeToUtf8Bytes(new ReplicaStartRequest
    {
        ReplicaId = $"bench#{type.Name}#r1",
        Spec = new DeploymentSpec { Name = type.Name, MaxOngoingRequests = 1000 },
        AssemblyFile = Path.GetFileName(type.Assembly.Location),
        PackageHash = Path.GetFileName(package),
        TypeName = type.FullName!,
        DeploymentsByType = classes.ToImmutableSortedDictionary(each => each.FullName!, each => each.Name),
    }, ServeJson.Options),
}, CancellationToken.None)));
var driver = services.GetRequiredService<IActorReferenceResolver>().Resolve(new($"bench#{classes[0].Name}#r1"), processes[0]);
await runtime.PublishAsync(RouteSnapshot.Topic, new(1, 1), JsonSerializer.SerializeToUtf8Bytes(new RouteSnapshot
{
    Version = new(1, 1),
    Deployments = [.. classes.Zip(processes, (type, process) => new DeploymentRoute
    {
        Application = "bench", Deployment = type.Name, MaxOngoingRequests = 1000, MaxQueuedRequests = 1000, Replicas = [new ReplicaRoute($"bench#{type.Name}#r1", new(new("n1"), process.ProcessId))],
    })],
}, ServeJson.Options), CancellationToken.None);

Console.WriteLine("One caller, methods that do next to nothing, the median of 7 rounds:");
await RunAsync("One", false, 20_000);
await RunAsync("One", true, 20_000);
var plain = await MedianAsync(() => RunAsync("One", false, 100_000));
var gathered = await MedianAsync(() => RunAsync("One", true, 100_000));
Console.WriteLine($"  plain method            {plain.Seconds * 1e6,8:0.00} us  {plain.Bytes,6:0} bytes");
Console.WriteLine($"  batch of one, no wait   {gathered.Seconds * 1e6,8:0.00} us  {gathered.Bytes,6:0} bytes   {(gathered.Seconds - plain.Seconds) * 1e6:+0.00} us");

Console.WriteLine("A model of 2 ms whatever the batch, calls a second:");
foreach (var callers in new[] { 1, 32 })
{
    foreach (var method in new[] { "SlowPlain", "SlowNoWait", "SlowFixed", "SlowAdaptive" })
    {
        await RunAsync("Many", method, callers, 30);
        var cost = await RunAsync("Many", method, callers, method == "SlowPlain" ? 20 : 150);
        Console.WriteLine($"  {callers,3} callers  {method,-14} {1 / cost.Seconds,8:0}");
    }
}

await services.DisposeAsync();
Directory.Delete(logs, recursive: true);

Task<MeasuredCallCost> RunAsync(string method, params object?[] arguments) =>
    driver.InvokeAsync(new NamedMethodCall<MeasuredCallCost>(method, arguments), CallContext.None, CancellationToken.None).AsTask();

static async Task<MeasuredCallCost> MedianAsync(Func<Task<MeasuredCallCost>> measure)
{
    List<MeasuredCallCost> costs = [];
    for (var round = 0; round < 7; round++)
        costs.Add(await measure());
    return costs.OrderBy(cost => cost.Seconds).ElementAt(3);
}
