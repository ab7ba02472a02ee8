using System.Runtime.CompilerServices;

namespace Serve;

/// <summary>
/// A ref to one item of a tuple that is there or will be: ready when the tuple is, failed as it is, and the tuple is let go then. Written by whoever
/// makes the tuple ready.
/// </summary>
internal sealed class TupleItemRef<TTuple, TItem> : ObjectRef<TItem>, IObjectProducer, IThreadPoolWorkItem
    where TTuple : struct, ITuple
{
    private readonly int index;
    private ObjectRef<TTuple>? source;

    public TupleItemRef(ObjectRef<TTuple> source, ObjectId id, int index)
        : base(source.Cluster, id)
    {
        this.source = source;
        this.index = index;
        Producer = this;
        if (!source.TryOnReady(new Taking(this)))
            Take(source);
    }

    string IObjectProducer.Label => $"item {index + 1} of {Volatile.Read(ref source)?.Producer?.Label ?? "a tuple"}";

    void IObjectProducer.AddNeeds(ICollection<ObjectNeed> needs)
    {
        if (Volatile.Read(ref source) is { } tuple)
            needs.Add(new NeedOfRefs(this, [tuple], 1));
    }

    void IObjectProducer.Fail(Exception failure) => TrySetException(failure);

    // Its task is the tuple's.
    void IObjectProducer.Cancel(bool force, bool recursive) => Volatile.Read(ref source)?.Producer?.Cancel(force, recursive);

    internal override void Demand(bool fetch) => Volatile.Read(ref source)?.Demand(fetch);

    void IThreadPoolWorkItem.Execute()
    {
        if (source is { } tuple)
            Settle(tuple);
    }

    // Bytes take a while to read: not on the thread that received them.
    private void Take(ObjectRef<TTuple> tuple)
    {
        if (tuple.Stored is null)
            Settle(tuple);
        else
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void Settle(ObjectRef<TTuple> tuple)
    {
        try
        {
            if (tuple.Error is { } failure)
                TrySetException(failure);
            else
                TrySetResult(TupleItem<TTuple, TItem>.Get(tuple.Result, index));
        }
        catch (Exception unreadable)
        {
            TrySetException(unreadable);
        }

        Producer = null;
        Volatile.Write(ref source, null);
    }

    private sealed class Taking(TupleItemRef<TTuple, TItem> item) : RefContinuation
    {
        internal override void Run() => item.Take(item.source!);
    }
}
