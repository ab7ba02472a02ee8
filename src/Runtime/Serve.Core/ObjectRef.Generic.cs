using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Threading.Tasks.Sources;

namespace Serve;

/// <summary>A reference to an object of a known type: await it (as often as you like), or pass it on un-awaited.</summary>
/// <typeparam name="T">The object's type.</typeparam>
public class ObjectRef<T> : ObjectRef, IValueTaskSource<T>
{
    private T? _value;
    private int _settled;

    internal ObjectRef(Cluster cluster, ObjectId id)
        : base(cluster, id)
    {
    }

    internal override Type ValueType => typeof(T);

    /// <summary>Waits for the object, as <see cref="Cluster.Get{T}(ObjectRef{T}, TimeSpan?, CancellationToken)"/> does.</summary>
    /// <returns>An awaiter.</returns>
    [SuppressMessage("Usage", "CA2012", Justification = "Its awaiter goes to the compiler's await, which consumes it once.")]
    public new ValueTaskAwaiter<T> GetAwaiter()
    {
        if (!IsReady)
            TryProduceInline();
        return Cluster.Get(this).GetAwaiter();
    }

    /// <summary>Blocks this thread until the object is there. In a task that does not await; the CPU it holds is given to others meanwhile.</summary>
    /// <param name="timeout">How long at most. Default: for ever.</param>
    /// <returns>The object.</returns>
    /// <exception cref="TimeoutException">The object was not ready in time.</exception>
    public T GetResult(TimeSpan? timeout = null)
    {
        if (!IsReady && timeout is null)
            TryProduceInline();
        return IsReady ? Result : Cluster.GetBlocking(this, timeout);
    }

    /// <summary>The object as a task, for <see cref="Task.WhenAll(Task[])"/> and the like.</summary>
    /// <returns>A task that ends as the object does.</returns>
    public Task<T> AsTask() => Cluster.Get(this).AsTask();

    /// <summary>The object of a ref that is ready; throws what getting it throws.</summary>
    internal T Result
    {
        get
        {
            var known = Volatile.Read(ref _settled) == 2;
            var seen = _value;

            // The value is read first: one that is being freed has its error by then.
            Volatile.ReadBarrier();
            if (Error is { } failure)
                ExceptionDispatchInfo.Throw(failure);
            return known ? seen! : Load();
        }
    }

    /// <inheritdoc/>
    ValueTaskSourceStatus IValueTaskSource<T>.GetStatus(short token) =>
        !IsReady ? ValueTaskSourceStatus.Pending : Error is null ? ValueTaskSourceStatus.Succeeded : ValueTaskSourceStatus.Faulted;

    /// <inheritdoc/>
    T IValueTaskSource<T>.GetResult(short token) => Result;

    /// <inheritdoc/>
    void IValueTaskSource<T>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        Cluster.AddAwaitContinuation(this, continuation, state, flags);

    internal override object? GetBoxedResult() => Result;

    internal override async Task<object?> GetBoxedAsync(CancellationToken cancellationToken) =>
        await Cluster.Get(this, null, cancellationToken).ConfigureAwait(false);

    /// <summary>Whether this call made it ready.</summary>
    internal bool TrySetResult(T result)
    {
        if (Interlocked.CompareExchange(ref _settled, 1, 0) != 0)
            return false;
        _value = result;
        Volatile.Write(ref _settled, 2);
        Complete(null);
        return true;
    }

    /// <summary>Makes it ready with bytes that are read when someone asks.</summary>
    internal bool TrySetStored(StoredObject bytes)
    {
        if (Interlocked.CompareExchange(ref _settled, 1, 0) != 0)
            return false;
        Stored = bytes;
        Complete(null);
        return true;
    }

    internal override bool TrySetException(Exception failure)
    {
        if (Interlocked.CompareExchange(ref _settled, 1, 0) != 0)
            return false;
        Complete(failure);
        return true;
    }

    private protected override void ReleaseValue() => _value = default;

    // Two readers may both load; they get equal objects, and the first one's stays.
    private T Load()
    {
        var stored = Stored!;
        var loaded = (T)stored.Load(typeof(T))!;
        if (stored.CachesLoadedValue)
            return loaded;
        _value = loaded;
        Volatile.Write(ref _settled, 2);
        return loaded;
    }
}
