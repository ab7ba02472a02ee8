namespace Serve.Runtime.Sessions;

/// <summary>A worker's cluster for code that lives there: it comes with the session that its head opens right after the worker's start. Written by the session.</summary>
internal sealed class ArrivingCluster
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly TaskCompletionSource<Cluster> arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Arrive(Cluster cluster) => arrived.TrySetResult(cluster);

    /// <summary>Blocks until it is there: for constructors.</summary>
    /// <exception cref="TimeoutException">Whoever started this worker has no cluster.</exception>
    public Cluster Take() => arrived.Task.WaitAsync(Limit).GetAwaiter().GetResult();
}
