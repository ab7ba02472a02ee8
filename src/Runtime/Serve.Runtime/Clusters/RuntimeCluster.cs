using System.Runtime.ExceptionServices;
using System.Threading.Tasks.Sources;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Clusters;

/// <summary>Base of the cluster in the driver and in workers: waits for references, and rejects references of other clusters.</summary>
public abstract class RuntimeCluster : Cluster
{
    private static Cluster? _newest;

    static RuntimeCluster() => CurrentResolver = static () => TaskContext.Current?.Cluster ?? Volatile.Read(ref _newest);

    protected RuntimeCluster() => Volatile.Write(ref _newest, this);

    public sealed override ValueTask<T> Get<T>(ObjectRef<T> reference, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        Require(reference);
        // The reference is its own value task source: nothing is allocated until it is awaited.
        return reference.IsReady ? GetReady(reference)
            : timeout is null && !cancellationToken.CanBeCanceled ? new(reference, 0)
            : GetInTimeAsync(reference, timeout, cancellationToken);
    }

    public sealed override async Task<T[]> Get<T>(IEnumerable<ObjectRef<T>> references, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        var all = references.ToArray();
        await WaitForAll(all, timeout, cancellationToken).ConfigureAwait(false);
        var values = new T[all.Length];
        for (var i = 0; i < all.Length; i++)
            values[i] = all[i].Result;
        return values;
    }

    public sealed override async Task<WaitResult<T>> Wait<T>(
        IEnumerable<ObjectRef<T>> references, int numReturns = 1, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        var all = references.ToArray();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(numReturns);
        if (all.Length == 0)
            return new([], []);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(numReturns, all.Length);
        foreach (var reference in all)
            Require(reference);
        if (new HashSet<ObjectRef<T>>(all).Count != all.Length)
            throw new ArgumentException("The references must be distinct.", nameof(references));
        await WaitAsync(all, numReturns, untilFault: false, fetch: false, timeout, cancellationToken).ConfigureAwait(false);
        var ready = new List<ObjectRef<T>>(numReturns);
        var pending = new List<ObjectRef<T>>(all.Length - numReturns);
        foreach (var reference in all)
            (ready.Count < numReturns && reference.IsReady ? ready : pending).Add(reference);
        return new(ready, pending);
    }

    protected sealed override async Task WaitForAll(ObjectRef[] references, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        foreach (var reference in references)
            Require(reference);
        var ready = await WaitAsync(references, references.Length, untilFault: true, fetch: true, timeout, cancellationToken).ConfigureAwait(false);
        foreach (var reference in references)
        {
            if (reference.Failure is { } failure)
                ExceptionDispatchInfo.Throw(failure);
        }

        if (!ready && references.Count(static reference => !reference.IsReady) is > 0 and var late)
            throw new GetTimeoutException($"{late} of {references.Length} objects were not ready within {DurationTextFormat.Of(timeout!.Value)}.");
    }

    protected sealed override void AddAwaitContinuation(ObjectRef reference, Action<object?> continuation, object? state, ValueTaskSourceOnCompletedFlags flags)
    {
        reference.RequestObject(fetch: true);
        var awaiter = new ObjectRefAwaiter(continuation, state, flags);
        if (TaskContext.Current is { } context)
            awaiter.Start(reference, context);
        else
            awaiter.Start(reference);
    }

    protected sealed override T GetBlocking<T>(ObjectRef<T> reference, TimeSpan? timeout)
    {
        Require(reference);
        reference.RequestObject(fetch: true);
        var context = TaskContext.Current;
        if (timeout is null && context is TaskExecution waiting && reference.Producer is TaskExecution awaited && awaited.TryRunInline(waiting))
            return reference.Result;
        if (reference.IsReady)
            return reference.Result;
        var isShared = Threads?.EnterBlocking() ?? false;
        try
        {
            return new BlockingObjectRefWaiter().Wait(reference, context, timeout)
                ? reference.Result
                : throw Late(reference, timeout!.Value);
        }
        finally
        {
            if (isShared)
                Threads!.ExitBlocking();
        }
    }

    /// <summary>The threads of tasks and actors of this process; null in workers.</summary>
    internal virtual TaskThreadPool? Threads => null;

    private static ValueTask<T> GetReady<T>(ObjectRef<T> reference) =>
        reference.Failure is { } failure ? ValueTask.FromException<T>(failure) : new(reference.Result);

    private static GetTimeoutException Late(ObjectRef reference, TimeSpan timeout) => new($"Object {reference.Id} was not ready within {DurationTextFormat.Of(timeout)}.");

    private static async ValueTask<T> GetInTimeAsync<T>(ObjectRef<T> reference, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        if (!await WaitAsync([reference], 1, untilFault: false, fetch: true, timeout, cancellationToken).ConfigureAwait(false))
            throw Late(reference, timeout!.Value);
        return reference.Result;
    }

    /// <summary>Waits for references; returns false if the timeout expired before enough were ready.</summary>
    private static async Task<bool> WaitAsync(ObjectRef[] references, int count, bool untilFault, bool fetch, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        foreach (var reference in references)
            reference.RequestObject(fetch);
        var counted = new ReadyObjectCounter(references, count, untilFault);
        if (counted.Completion.IsCompleted)
            return true;
        var mayEnd = timeout is not null || cancellationToken.CanBeCanceled;
        var wait = TaskContext.Current is { } context ? context.BeginWait(new(context, references, count, mayEnd ? null : counted.Completion) { UntilFault = untilFault }) : null;
        try
        {
            await counted.Completion.WaitAsync(timeout ?? Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        finally
        {
            if (wait is not null)
                await wait.EndAsync().ConfigureAwait(false);
        }
    }

    private void Require(ObjectRef reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ThrowIfDisposed();
        reference.ThrowIfOfOtherCluster(this);
    }
}
