using Microsoft.Extensions.DependencyInjection;
using Serve.Nodes;

namespace Serve.Runtime.TestWorker;

/// <summary>A node that starts workers, prints their process ids on one line, and waits to be killed.</summary>
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
        await Task.WhenAll(Enumerable.Range(0, workers).Select(i =>
            runtime.CreateActorAsync(new() { Id = new($"a{i}"), Kind = "test", Placement = new WorkerPlacement.Own($"own {i}") }, CancellationToken.None)));
        Console.WriteLine(string.Join(' ', runtime.Workers.Select(worker => worker.ProcessId)));
        await Task.Delay(Timeout.Infinite);
    }
}
