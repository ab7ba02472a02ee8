using System.Runtime.CompilerServices;

namespace Serve;

/// <summary>
/// A reference to an object that is there or will be: a task's result, or what was put. It may stand wherever a value may. While anyone
/// holds it the object lives; when the last ref is collected the object is freed.
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

    /// <summary>The object's id, which is also that of the task that makes it.</summary>
    public ObjectId Id { get; }

    /// <summary>The cluster it belongs to; others do not know it.</summary>
    public Cluster Cluster { get; }

    /// <summary>Whether the object is there, or is known never to be.</summary>
    public bool IsReady => _ready;

    /// <summary>Whether getting it throws. False while it is not ready.</summary>
    public bool IsFaulted => _ready && Error is not null;

    /// <summary>Waits until the object is there, whatever it is; throws what getting it throws.</summary>
    /// <returns>An awaiter without a result.</returns>
    public TaskAwaiter GetAwaiter() => ((Task)GetBoxedAsync(CancellationToken.None)).GetAwaiter();

    /// <summary>What getting it throws; null when all is well, or that is not known yet.</summary>
    internal Exception? Error => Volatile.Read(ref _error);

    /// <summary>The object as bytes, where the runtime has it so.</summary>
    internal StoredObject? Stored
    {
        get => Volatile.Read(ref _stored);
        set
        {
            value?.AttachTo(this);
            Volatile.Write(ref _stored, value);
        }
    }

    /// <summary>What is to make it ready; null when that is not known here, or over.</summary>
    internal IObjectProducer? Producer
    {
        get => Volatile.Read(ref _producer);
        set => Volatile.Write(ref _producer, value);
    }

    internal abstract Type ValueType { get; }

    /// <summary>Makes it ready with a failure.</summary>
    /// <returns>Whether this call made it ready.</returns>
    internal abstract bool TrySetException(Exception failure);

    /// <summary>The object; it must be ready and well.</summary>
    internal abstract object? GetBoxedResult();

    /// <summary>The object once it is there, for a call that takes it as an argument.</summary>
    internal abstract Task<object?> GetBoxedAsync(CancellationToken cancellationToken);

    /// <summary>Refuses it where another cluster is asked to do something with it.</summary>
    /// <exception cref="ArgumentException">It is of another cluster.</exception>
    internal void ThrowIfOfOtherCluster(Cluster cluster)
    {
        if (Cluster != cluster)
            throw new ArgumentException($"Object {Id} is of another cluster, which this one knows nothing of.");
    }

    /// <summary>Frees the object; getting it throws from now on. One that is not ready is freed when it is.</summary>
    internal void Free()
    {
        // First of all, so that nobody gets it from now on, not even at the moment in which it becomes ready.
        if (Volatile.Read(ref _error) is null)
            Interlocked.CompareExchange(ref _error, new ObjectLostException($"Object {Id} is gone: it was freed with Cluster.Free."), null);
        if (!_ready && TryAddContinuation(new FreeOnReadyContinuation(this)))
            return;
        Stored?.Free("it was freed with Cluster.Free");
        ReleaseValue();
    }

    /// <summary>Forgets the value of a ref whose <see cref="Error"/> says why.</summary>
    private protected abstract void ReleaseValue();

    /// <summary>Says that someone waits for it. A ref to an object elsewhere asks for it when this is first called.</summary>
    /// <param name="fetch">False when only its readiness matters.</param>
    internal virtual void RequestObject(bool fetch)
    {
    }

    /// <summary>Lets the calling thread, which is about to wait for the object and nothing else, make it itself where that is quick and safe.</summary>
    internal virtual void TryProduceInline()
    {
    }

    /// <summary>Has something happen when the object is ready.</summary>
    /// <returns>False when it is ready already: then nothing was registered.</returns>
    internal bool TryAddContinuation(ObjectRefContinuation continuation)
    {
        var head = Volatile.Read(ref _continuations);
        while (true)
        {
            if (ReferenceEquals(head, CompletedSentinel))
                return false;
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
            Volatile.Write(ref _error, failure);
        _ready = true;
        var list = Interlocked.Exchange(ref _continuations, CompletedSentinel);

        // Last in, first out so far; who registered first is told first.
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
        internal override void Run() => reference.Free();
    }

    private sealed class CompletedRefSentinel : ObjectRefContinuation
    {
        internal override void Run()
        {
        }
    }
}
