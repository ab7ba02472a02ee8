using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Threading.Tasks.Sources;
using Serve.Hosting;

namespace Serve;

/// <summary>A reference to an object of a known type. Can be awaited any number of times, or passed on without awaiting it.</summary>
/// <typeparam name="T">The object's type.</typeparam>
/// <remarks>
/// Concurrency. <c>_settled</c> is 0 while the reference is not completed, 1 once a caller has won the right to complete it, and 2 when <c>_value</c> holds the
/// object. A reference completed with serialized bytes stays at 1 until a reader has deserialized them; two readers may both do so, and either result is valid.
/// Memory order: <c>_value</c> is written before <c>_settled</c> becomes 2 and read after it; a reader then checks the error, which <see cref="Cluster.Free"/>
/// sets before it drops the value.
/// </remarks>
public class ObjectRef<T> : ObjectRef, IValueTaskSource<T>
{
    private T? _value;
    private int _settled;

    /// <summary>Creates a reference that is not ready yet. For clusters.</summary>
    /// <param name="cluster">The cluster that owns the object.</param>
    /// <param name="id">The object's id.</param>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public ObjectRef(Cluster cluster, ObjectId id)
        : base(cluster, id)
    {
    }

    internal override Type ValueType => typeof(T);

    /// <summary>Waits for the object, like <see cref="Cluster.Get{T}(ObjectRef{T}, TimeSpan?, CancellationToken)"/>.</summary>
    /// <returns>An awaiter.</returns>
    [SuppressMessage("Usage", "CA2012", Justification = "Its awaiter goes to the compiler's await, which consumes it once.")]
    public new ValueTaskAwaiter<T> GetAwaiter()
    {
        if (!IsReady)
            TryProduceInline();
        return Cluster.Get(this).GetAwaiter();
    }

    /// <summary>Blocks the calling thread until the object is ready. For tasks that do not await; their CPU is available to other tasks while they wait.</summary>
    /// <param name="timeout">Maximum wait; null waits indefinitely.</param>
    /// <returns>The object.</returns>
    /// <exception cref="GetTimeoutException">The object was not ready within <paramref name="timeout"/>.</exception>
    public T GetResult(TimeSpan? timeout = null)
    {
        if (!IsReady && timeout is null)
            TryProduceInline();
        return IsReady ? Result : Cluster.GetBlocking(this, timeout);
    }

    /// <summary>Returns the object as a task, for <see cref="Task.WhenAll(Task[])"/> and the like.</summary>
    /// <returns>A task that completes or fails with the object.</returns>
    public Task<T> AsTask() => Cluster.Get(this).AsTask();

    /// <summary>The object of a ready reference; throws the object's error.</summary>
    protected internal T Result
    {
        get
        {
            var known = Volatile.Read(ref _settled) == 2;
            var seen = _value;

            // The value is read before the error: the value of an object that is being freed is dropped only after its error is set.
            Volatile.ReadBarrier();
            if (Failure is { } failure)
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

    /// <summary>Completes the reference with the object.</summary>
    /// <returns>Whether this call completed it.</returns>
    protected internal bool TrySetResult(T result)
    {
        if (Interlocked.CompareExchange(ref _settled, 1, 0) != 0)
            return false;
        _value = result;
        Volatile.Write(ref _settled, 2);
        Complete(null);
        return true;
    }

    /// <summary>Completes the reference with bytes, which are deserialized when a reader asks for the object.</summary>
    /// <returns>Whether this call completed it.</returns>
    protected internal bool TrySetStored(StoredObject bytes)
    {
        if (Interlocked.CompareExchange(ref _settled, 1, 0) != 0)
            return false;
        Stored = bytes;
        Complete(null);
        return true;
    }

    protected internal override bool TrySetException(Exception failure)
    {
        if (Interlocked.CompareExchange(ref _settled, 1, 0) != 0)
            return false;
        Complete(failure);
        return true;
    }

    private protected override void ReleaseValue() => _value = default;

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
