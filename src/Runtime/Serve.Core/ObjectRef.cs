using System.Runtime.CompilerServices;
using Serve.Hosting;

namespace Serve;

/// <summary>
/// A reference to an object that exists or will exist: a task's result, or a value that was put. It can be passed wherever the value can. The
/// object is kept while any reference to it exists, and freed when the last one is collected.
/// </summary>
public abstract class ObjectRef
{
    private static readonly ObjectRefContinuation CompletedSentinel = new CompletedRefSentinel();

    private ObjectRefContinuation? _continuations;
    private Exception? _error;
    private StoredObject? _stored;
    private IObjectProducer? _producer;
    private volatile bool _ready;

    private protected ObjectRef(Cluster cluster, ObjectId id)
    {
        Cluster = cluster;
        Id = id;
    }

    /// <summary>Gets the object's id, which is also the id of the task that produces it.</summary>
    public ObjectId Id { get; }

    /// <summary>Gets the cluster that owns the object; other clusters do not accept the reference.</summary>
    public Cluster Cluster { get; }

    /// <summary>Gets whether the object is available, or has failed.</summary>
    public bool IsReady => _ready;

    /// <summary>Gets whether getting the object throws. False while it is not ready.</summary>
    public bool IsFaulted
    {
        get
        {
            var isFaulted = _ready && Error is not null;
            if (isFaulted)
                UnobservedFailure.MarkObserved(this);
            return isFaulted;
        }
    }

    /// <summary>Waits until the object is ready, whatever its type; throws the object's error.</summary>
    /// <returns>An awaiter without a result.</returns>
    public TaskAwaiter GetAwaiter() => ((Task)GetBoxedAsync(CancellationToken.None)).GetAwaiter();

    /// <summary>The error of the object; null if there is none or it is not known yet. Code of the runtime passes it on; readers receive the <see cref="Failure"/>.</summary>
    protected internal Exception? Error => Volatile.Read(ref _error);

    /// <summary>The exception that readers of the object receive: the <see cref="Error"/>, or the original exception of the task's own code.</summary>
    protected internal Exception? Failure
    {
        get
        {
            if (Error is not { } error)
                return null;
            UnobservedFailure.MarkObserved(this);
            return error is UserCodeException { Original: { } original } ? original : error;
        }
    }

    /// <summary>The object's serialized form, where the runtime has it.</summary>
    protected internal StoredObject? Stored
    {
        get => Volatile.Read(ref _stored);
        set
        {
            value?.AttachTo(this);
            Volatile.Write(ref _stored, value);
        }
    }

    /// <summary>The producer of the object; null if it is unknown here or has completed.</summary>
    protected internal IObjectProducer? Producer
    {
        get => Volatile.Read(ref _producer);
        set => Volatile.Write(ref _producer, value);
    }

    internal abstract Type ValueType { get; }

    /// <summary>Completes the reference with an error.</summary>
    /// <returns>Whether this call completed it.</returns>
    protected internal abstract bool TrySetException(Exception failure);

    /// <summary>Returns the object, which must be ready and not failed.</summary>
    internal abstract object? GetBoxedResult();

    /// <summary>Waits for the object and returns it, for a call that takes it as an argument.</summary>
    internal abstract Task<object?> GetBoxedAsync(CancellationToken cancellationToken);

    /// <summary>Throws if the reference belongs to another cluster.</summary>
    /// <exception cref="ArgumentException">The reference belongs to another cluster.</exception>
    internal void ThrowIfOfOtherCluster(Cluster cluster)
    {
        if (Cluster != cluster)
            throw new ArgumentException($"Object {Id} belongs to another cluster. Get its value there and put it into this cluster.");
    }

    /// <summary>Frees the object; getting it throws from now on. An object that is not ready is freed when it is.</summary>
    internal void Free()
    {
        // The error is set first, so that no reader gets the object from now on, not even while it completes.
        if (Volatile.Read(ref _error) is null)
            Interlocked.CompareExchange(ref _error, new ObjectLostException($"Object {Id} was freed with Cluster.Free."), null);
        if (!_ready && TryAddContinuation(new FreeOnReadyContinuation(this)))
            return;
        Stored?.Free("it was freed with Cluster.Free");
        ReleaseValue();
    }

    /// <summary>Drops the value of a reference whose <see cref="Error"/> is set.</summary>
    private protected abstract void ReleaseValue();

    /// <summary>Called when a caller is about to wait for the object. A reference to an object in another process requests it on the first call.</summary>
    /// <param name="fetch">False if only the object's readiness matters, not its value.</param>
    protected internal virtual void RequestObject(bool fetch)
    {
    }

    /// <summary>Lets the calling thread, which is about to wait for this object only, produce it inline where that is fast and safe.</summary>
    protected internal virtual void TryProduceInline()
    {
    }

    /// <summary>Registers a continuation that runs when the object is ready.</summary>
    /// <returns>False if the object is already ready; nothing is registered then.</returns>
    internal bool TryAddContinuation(ObjectRefContinuation continuation)
    {
        var head = Volatile.Read(ref _continuations);
        while (true)
        {
            if (ReferenceEquals(head, CompletedSentinel))
            {
                UnobservedFailure.MarkObserved(this);
                return false;
            }

            continuation.Next = head;
            var seen = Interlocked.CompareExchange(ref _continuations, continuation, head);
            if (ReferenceEquals(seen, head))
                return true;
            head = seen;
        }
    }

    private protected void Complete(Exception? failure)
    {
        if (failure is not null)
        {
            // Before the reference is ready: a reader that sees the failure must find it.
            if (Volatile.Read(ref _continuations) is null && Producer is { } producer)
                UnobservedFailure.Track(this, producer.Label, failure);
            Volatile.Write(ref _error, failure);
        }

        _ready = true;
        var list = Interlocked.Exchange(ref _continuations, CompletedSentinel);
        if (failure is not null && list is not null)
            UnobservedFailure.MarkObserved(this);

        // The list is in LIFO order; continuations run in registration order.
        ObjectRefContinuation? ordered = null;
        while (list is not null)
            (list.Next, ordered, list) = (ordered, list, list.Next);
        while (ordered is { } next)
        {
            ordered = next.Next;
            next.Next = null;
            next.Run();
        }
    }

    private sealed class FreeOnReadyContinuation(ObjectRef reference) : ObjectRefContinuation
    {
        public override void Run() => reference.Free();
    }

    private sealed class CompletedRefSentinel : ObjectRefContinuation
    {
        public override void Run()
        {
        }
    }
}
