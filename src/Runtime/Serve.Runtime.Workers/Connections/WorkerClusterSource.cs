namespace Serve.Runtime.Workers.Connections;

/// <summary>A worker's cluster for code that lives there: it comes with the session that its head opens right after the worker's start. Written by the session.</summary>
internal sealed class WorkerClusterSource
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly TaskCompletionSource<Cluster> _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void SetCluster(Cluster cluster) => _arrived.TrySetResult(cluster);

    /// <summary>Blocks until it is there: for constructors.</summary>
    /// <exception cref="TimeoutException">Whoever started this worker has no cluster.</exception>
    public Cluster WaitForCluster() => _arrived.Task.WaitAsync(Limit).GetAwaiter().GetResult();
}
