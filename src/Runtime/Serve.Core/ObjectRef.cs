using System.Runtime.CompilerServices;

namespace Serve;

/// <summary>
/// A reference to an object that is there or will be: a task's result, or what was put. It may stand wherever a value may. While anyone
/// holds it the object lives; when the last ref is collected the object is freed.
/// </summary>
public abstract class ObjectRef
{
    private static readonly RefContinuation Ended = new EndedMark();
    private RefContinuation? continuations;
    private Exception? error;
    private StoredObject? stored;
    private IObjectProducer? producer;
    private volatile bool ready;

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
    public bool IsReady => ready;

    /// <summary>Whether getting it throws. False while it is not ready.</summary>
    public bool IsFaulted => ready && Error is not null;

    /// <summary>Waits until the object is there, whatever it is; throws what getting it throws.</summary>
    /// <returns>An awaiter without a result.</returns>
    public TaskAwaiter GetAwaiter() => ((Task)BoxAsync(CancellationToken.None)).GetAwaiter();

    /// <summary>What getting it throws; null when all is well, or that is not known yet.</summary>
    internal Exception? Error => Volatile.Read(ref error);

    /// <summary>The object as bytes, where the runtime has it so.</summary>
    internal StoredObject? Stored
    {
        get => Volatile.Read(ref stored);
        set
        {
            value?.BelongsTo(this);
            Volatile.Write(ref stored, value);
        }
    }

    /// <summary>What is to make it ready; null when that is not known here, or over.</summary>
    internal IObjectProducer? Producer
    {
        get => Volatile.Read(ref producer);
        set => Volatile.Write(ref producer, value);
    }

    internal abstract Type ValueType { get; }

    /// <summary>Makes it ready with a failure.</summary>
    /// <returns>Whether this call made it ready.</returns>
    internal abstract bool TrySetException(Exception failure);

    /// <summary>The object; it must be ready and well.</summary>
    internal abstract object? Box();

    /// <summary>The object once it is there, for a call that takes it as an argument.</summary>
    internal abstract Task<object?> BoxAsync(CancellationToken cancellationToken);

    /// <summary>Refuses it where another cluster is asked to do something with it.</summary>
    /// <exception cref="ArgumentException">It is of another cluster.</exception>
    internal void RequireOf(Cluster cluster)
    {
        if (Cluster != cluster)
            throw new ArgumentException($"Object {Id} is of another cluster, which this one knows nothing of.");
    }

    /// <summary>Frees the object; getting it throws from now on. One that is not ready is freed when it is.</summary>
    internal void Free()
    {
        // First of all, so that nobody gets it from now on, not even at the moment in which it becomes ready.
        if (Volatile.Read(ref error) is null)
            Interlocked.CompareExchange(ref error, new ObjectLostException($"Object {Id} is gone: it was freed with Cluster.Free."), null);
        if (!ready && TryOnReady(new FreeWhenReady(this)))
            return;
        Stored?.Free("it was freed with Cluster.Free");
        DropValue();
    }

    /// <summary>Forgets the value of a ref whose <see cref="Error"/> says why.</summary>
    private protected abstract void DropValue();

    /// <summary>Says that someone waits for it. A ref to an object elsewhere asks for it when this is first called.</summary>
    /// <param name="fetch">False when only its readiness matters.</param>
    internal virtual void Demand(bool fetch)
    {
    }

    /// <summary>Lets the calling thread, which is about to wait for the object and nothing else, make it itself where that is quick and safe.</summary>
    internal virtual void Help()
    {
    }

    /// <summary>Has something happen when the object is ready.</summary>
    /// <returns>False when it is ready already: then nothing was registered.</returns>
    internal bool TryOnReady(RefContinuation continuation)
    {
        var head = Volatile.Read(ref continuations);
        while (true)
        {
            if (ReferenceEquals(head, Ended))
                return false;
            continuation.Next = head;
            var seen = Interlocked.CompareExchange(ref continuations, continuation, head);
            if (ReferenceEquals(seen, head))
                return true;
            head = seen;
        }
    }

    private protected void Complete(Exception? failure)
    {
        if (failure is not null)
            Volatile.Write(ref error, failure);
        ready = true;
        var list = Interlocked.Exchange(ref continuations, Ended);

        // Last in, first out so far; who registered first is told first.
        RefContinuation? ordered = null;
        while (list is not null)
            (list.Next, ordered, list) = (ordered, list, list.Next);
        while (ordered is { } next)
        {
            ordered = next.Next;
            next.Next = null;
            next.Run();
        }
    }

    private sealed class FreeWhenReady(ObjectRef reference) : RefContinuation
    {
        internal override void Run() => reference.Free();
    }

    private sealed class EndedMark : RefContinuation
    {
        internal override void Run()
        {
        }
    }
}
