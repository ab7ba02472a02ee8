using System.Runtime.CompilerServices;

namespace Serve.Runtime.Objects;

/// <summary>
/// A reference to one item of a tuple. It completes or fails together with the tuple, on the thread that completes the tuple, and then releases it.
/// </summary>
internal sealed class TupleItemObjectRef<TTuple, TItem> : ObjectRef<TItem>, IObjectProducer, IThreadPoolWorkItem
    where TTuple : struct, ITuple
{
    private readonly int _index;
    private ObjectRef<TTuple>? _source;

    public TupleItemObjectRef(ObjectRef<TTuple> source, ObjectId id, int index)
        : base(source.Cluster, id)
    {
        _source = source;
        _index = index;
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

    // The item is produced by the tuple's task.
    void IObjectProducer.Cancel(bool force, bool recursive) => Volatile.Read(ref _source)?.Producer?.Cancel(force, recursive);

    protected override void RequestObject(bool fetch) => Volatile.Read(ref _source)?.RequestObject(fetch);

    void IThreadPoolWorkItem.Execute()
    {
        if (_source is { } tuple)
            Settle(tuple);
    }

    // Deserializing takes time, so it does not run on the thread that received the bytes.
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
                TrySetResult((TItem)tuple.Result[_index]!);
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
        public override void Run() => item.Take(item._source!);
    }
}
