using System.Runtime.CompilerServices;

namespace Serve;

/// <summary>
/// A ref to one item of a tuple that is there or will be: ready when the tuple is, failed as it is, and the tuple is let go then. Written by whoever
/// makes the tuple ready.
/// </summary>
internal sealed class TupleItemObjectRef<TTuple, TItem> : ObjectRef<TItem>, IObjectProducer, IThreadPoolWorkItem
    where TTuple : struct, ITuple
{
    private readonly int _index;
    private ObjectRef<TTuple>? _source;

    public TupleItemObjectRef(ObjectRef<TTuple> source, ObjectId id, int index)
        : base(source.Cluster, id)
    {
        this._source = source;
        this._index = index;
        Producer = this;
        if (!source.TryAddContinuation(new TupleReadyContinuation(this)))
            Take(source);
    }

    string IObjectProducer.Label => $"item {_index + 1} of {Volatile.Read(ref _source)?.Producer?.Label ?? "a tuple"}";

    void IObjectProducer.AddDependencies(ICollection<ObjectDependency> dependencies)
    {
        if (Volatile.Read(ref _source) is { } tuple)
            dependencies.Add(new(tuple, this));
    }

    void IObjectProducer.Fail(Exception failure) => TrySetException(failure);

    // Its task is the tuple's.
    void IObjectProducer.Cancel(bool force, bool recursive) => Volatile.Read(ref _source)?.Producer?.Cancel(force, recursive);

    internal override void RequestObject(bool fetch) => Volatile.Read(ref _source)?.RequestObject(fetch);

    void IThreadPoolWorkItem.Execute()
    {
        if (_source is { } tuple)
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
                TrySetResult(TupleItemReader<TTuple, TItem>.Get(tuple.Result, _index));
        }
        catch (Exception unreadable)
        {
            TrySetException(unreadable);
        }

        Producer = null;
        Volatile.Write(ref _source, null);
    }

    private sealed class TupleReadyContinuation(TupleItemObjectRef<TTuple, TItem> item) : ObjectRefContinuation
    {
        internal override void Run() => item.Take(item._source!);
    }
}
