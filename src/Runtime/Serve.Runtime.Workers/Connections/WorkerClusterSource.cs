namespace Serve.Runtime.Workers.Connections;

/// <summary>Provides a worker's cluster to code that it hosts. The cluster becomes available when the driver connects, shortly after the worker has started.</summary>
internal sealed class WorkerClusterSource
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly TaskCompletionSource<Cluster> _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether all output of the process is sent to the driver, and not only that of tasks: in workers of a program's own cluster, which host nothing else.</summary>
    public bool ForwardsAllOutput { get; init; }

    public void SetCluster(Cluster cluster) => _arrived.TrySetResult(cluster);

    /// <summary>Blocks until the cluster is available; for constructors.</summary>
    /// <exception cref="TimeoutException">The process that started this worker has no cluster.</exception>
    public Cluster WaitForCluster() => _arrived.Task.WaitAsync(Limit).GetAwaiter().GetResult();
}
