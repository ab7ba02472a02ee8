using System.Runtime.CompilerServices;

namespace Serve;

/// <summary>
/// The failure of a task or actor call that no code waited for when it failed. Reported when its reference is collected, or the cluster disposed, unless the failure was read in the meantime. Attached
/// to the reference, so that references that do not fail cost nothing.
/// </summary>
internal sealed class UnobservedFailure
{
    private static readonly ConditionalWeakTable<ObjectRef, UnobservedFailure> Open = [];
    private static int _tracked;

    private readonly Cluster _cluster;
    private readonly string _producer;
    private readonly Exception _failure;
    private int _settled;

    private UnobservedFailure(Cluster cluster, string producer, Exception failure) => (_cluster, _producer, _failure) = (cluster, producer, failure);

    ~UnobservedFailure()
    {
        // On another thread: a log may block, and the reference is unreachable anyway.
        if (Volatile.Read(ref _settled) == 0 && !Environment.HasShutdownStarted)
            ThreadPool.UnsafeQueueUserWorkItem(static failure => failure.Report(), this, preferLocal: false);
    }

    /// <summary>Starts tracking a failure. Called before the reference is ready.</summary>
    public static void Track(ObjectRef reference, string producer, Exception failure)
    {
        if (failure is OperationCanceledException or ObjectDisposedException)
            return;
        Interlocked.Increment(ref _tracked);
        Open.AddOrUpdate(reference, new(reference.Cluster, producer, failure));
    }

    /// <summary>Records that code has read the failure of a reference, or waits for it.</summary>
    public static void MarkObserved(ObjectRef reference)
    {
        if (Volatile.Read(ref _tracked) != 0 && Open.TryGetValue(reference, out var found))
            found.Settle();
    }

    /// <summary>Reports all failures of a cluster that have not been read.</summary>
    public static void ReportAll(Cluster cluster)
    {
        foreach (var (_, failure) in Open)
        {
            if (failure._cluster == cluster)
                failure.Report();
        }
    }

    private bool Settle()
    {
        if (Interlocked.Exchange(ref _settled, 1) != 0)
            return false;
        Interlocked.Decrement(ref _tracked);
        return true;
    }

    private void Report()
    {
        if (Settle())
            _cluster.OnUnobservedFailure(_producer, _failure);
    }
}
