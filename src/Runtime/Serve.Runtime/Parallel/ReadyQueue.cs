using System.Collections.Concurrent;

namespace Serve.Runtime.Parallel;

/// <summary>Refs in the order in which they become ready: each is watched once, however often one asks for the next. Read by one reader.</summary>
internal sealed class ReadyQueue
{
    private readonly Cluster cluster;
    private readonly ConcurrentQueue<ObjectRef> ready = new();
    private Signal? waiting;

    public ReadyQueue(Cluster cluster, IEnumerable<ObjectRef> references)
    {
        this.cluster = cluster;
        foreach (var reference in references)
        {
            reference.Demand(fetch: true);
            if (!reference.TryOnReady(new Watch(this, reference)))
                Add(reference);
        }
    }

    public async ValueTask<ObjectRef> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (ready.TryDequeue(out var next))
                return next;
            var signal = new Signal(cluster);
            Volatile.Write(ref waiting, signal);
            Interlocked.MemoryBarrier();
            if (ready.IsEmpty)
                await cluster.Get(signal, null, cancellationToken).ConfigureAwait(false);
        }
    }

    private void Add(ObjectRef reference)
    {
        ready.Enqueue(reference);
        Interlocked.Exchange(ref waiting, null)?.Set();
    }

    private sealed class Watch(ReadyQueue queue, ObjectRef reference) : RefContinuation
    {
        internal override void Run() => queue.Add(reference);
    }
}
