using Microsoft.Extensions.DependencyInjection;
using Serve.Calls;
using Serve.Nodes;

namespace Serve.Runtime.TestWorker;

/// <summary>A node that starts workers, each with a child process, prints the ids of all on one line, and waits to be killed.</summary>
public static class WorkerSpawningTestNode
{
    public static async Task RunAsync(int workers)
    {
        var services = new ServiceCollection();
        var logs = Directory.CreateTempSubdirectory("serve-test-node");
        services.AddServeRuntime(new() { WorkerCommand = [Environment.ProcessPath!, "worker"], WorkerLogDirectory = logs.FullName });
        TestWorkerServices.Add(services);
        await using var provider = services.BuildServiceProvider();
        var runtime = provider.GetRequiredService<INodeAgent>();
        var resolver = provider.GetRequiredService<IActorReferenceResolver>();
        var children = await Task.WhenAll(Enumerable.Range(0, workers).Select(async i =>
        {
            var id = new ActorId($"a{i}");
            var host = await runtime.CreateActorAsync(new() { Id = id, Kind = "test", Placement = new WorkerPlacement.Own($"own {i}") }, CancellationToken.None);
            return await resolver.Resolve(id, host).InvokeAsync(new NamedMethodCall<int>(nameof(TestActor.Spawn)), CallContext.None, CancellationToken.None);
        }));
        Console.WriteLine(string.Join(' ', runtime.Workers.Select(worker => worker.ProcessId).Concat(children)));
        await Task.Delay(Timeout.Infinite);
    }
}
