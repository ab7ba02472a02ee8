namespace Serve.Runtime.Clusters;

/// <summary>What a cluster does the same way in its own process and in a worker: waiting for refs, and telling refs of other clusters apart.</summary>
internal abstract class RuntimeCluster : Cluster
{
    private static Cluster? newest;

    static RuntimeCluster() => Ambient = static () => Tasks.TaskContext.Current?.Cluster ?? Volatile.Read(ref newest);

    protected RuntimeCluster() => Volatile.Write(ref newest, this);

    public sealed override ValueTask<T> Get<T>(ObjectRef<T> reference, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        Require(reference);
        return reference.IsReady ? FromReady(reference) : WaitOneAsync(reference, timeout, cancellationToken);
    }

    public sealed override async Task<T[]> Get<T>(IEnumerable<ObjectRef<T>> references, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        var all = references.ToArray();
        foreach (var reference in all)
            Require(reference);
        await WaitAsync(all, all.Length, untilFault: true, fetch: true, timeout, cancellationToken).ConfigureAwait(false);
        if (all.FirstOrDefault(reference => reference.IsFaulted) is { } failed)
            _ = failed.Result;
        if (!Array.TrueForAll(all, reference => reference.IsReady))
            throw new TimeoutException($"{all.Count(reference => !reference.IsReady)} of {all.Length} objects were not ready within {timeout}.");
        return Array.ConvertAll(all, reference => reference.Result);
    }

    public sealed override async Task<WaitResult<T>> Wait<T>(
        IEnumerable<ObjectRef<T>> references, int numReturns = 1, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        var all = references.ToArray();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(numReturns);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(numReturns, all.Length);
        foreach (var reference in all)
            Require(reference);
        if (all.Distinct().Count() != all.Length)
            throw new ArgumentException("A ref is among them twice.", nameof(references));
        await WaitAsync(all, numReturns, untilFault: false, fetch: false, timeout, cancellationToken).ConfigureAwait(false);
        var ready = new List<ObjectRef<T>>(numReturns);
        var pending = new List<ObjectRef<T>>();
        foreach (var reference in all)
            (ready.Count < numReturns && reference.IsReady ? ready : pending).Add(reference);
        return new(ready, pending);
    }

    internal sealed override T GetBlocking<T>(ObjectRef<T> reference, TimeSpan? timeout)
    {
        Require(reference);
        return WaitOneAsync(reference, timeout, CancellationToken.None).AsTask().GetAwaiter().GetResult();
    }

    /// <summary>Told that the running task waits for refs from now on, so that its CPU may be lent; disposed when it goes on. Null outside of a task.</summary>
    protected virtual IDisposable? BeginWait(IReadOnlyList<ObjectRef> references) => null;

    private static ValueTask<T> FromReady<T>(ObjectRef<T> reference) =>
        reference.Error is { } failure ? ValueTask.FromException<T>(failure) : new(reference.Result);

    private async ValueTask<T> WaitOneAsync<T>(ObjectRef<T> reference, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        if (!await WaitAsync([reference], 1, untilFault: false, fetch: true, timeout, cancellationToken).ConfigureAwait(false))
            throw new TimeoutException($"Object {reference.Id} was not ready within {timeout}.");
        return reference.Result;
    }

    /// <summary>Whether enough were ready before the time ran out.</summary>
    private async Task<bool> WaitAsync(ObjectRef[] references, int count, bool untilFault, bool fetch, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var waiter = new Waiter(references, count, untilFault);
        foreach (var reference in references)
            reference.Demand(fetch);
        if (waiter.Ended.IsCompleted)
            return true;
        using var lent = BeginWait(references);
        try
        {
            await waiter.Ended.WaitAsync(timeout ?? Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private void Require(ObjectRef reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (reference.Cluster != this)
            throw new ArgumentException($"Object {reference.Id} is of another cluster, which this one knows nothing of.", nameof(reference));
    }

    /// <summary>Counts refs that become ready.</summary>
    private sealed class Waiter
    {
        private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly bool untilFault;
        private int missing;

        public Waiter(ObjectRef[] references, int count, bool untilFault)
        {
            this.untilFault = untilFault;
            missing = count;
            if (count == 0)
                ended.TrySetResult();
            foreach (var reference in references)
            {
                if (!reference.TryOnReady(new One(this, reference)))
                    OnReady(reference);
            }
        }

        public Task Ended => ended.Task;

        private void OnReady(ObjectRef reference)
        {
            if (Interlocked.Decrement(ref missing) == 0 || (untilFault && reference.IsFaulted))
                ended.TrySetResult();
        }

        private sealed class One(Waiter waiter, ObjectRef reference) : RefContinuation
        {
            internal override void Run() => waiter.OnReady(reference);
        }
    }
}
