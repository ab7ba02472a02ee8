using System.Collections.Concurrent;

namespace Serve.Runtime.Parallel;

/// <summary>References in the order in which they become ready; each is observed once. Single reader.</summary>
internal sealed class ReadyObjectQueue
{
    private readonly Cluster _cluster;
    private readonly ConcurrentQueue<ObjectRef> _ready = new();
    private CompletionSignalRef? _waiting;

    public ReadyObjectQueue(Cluster cluster, IEnumerable<ObjectRef> references)
    {
        _cluster = cluster;
        foreach (var reference in references)
        {
            reference.RequestObject(fetch: true);
            if (!reference.TryAddContinuation(new ReadyObjectContinuation(this, reference)))
                Add(reference);
        }
    }

    public async ValueTask<ObjectRef> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_ready.TryDequeue(out var next))
                return next;
            var signal = new CompletionSignalRef(_cluster);
            Volatile.Write(ref _waiting, signal);
            Interlocked.MemoryBarrier();
            if (_ready.IsEmpty)
                await _cluster.Get(signal, null, cancellationToken).ConfigureAwait(false);
        }
    }

    private void Add(ObjectRef reference)
    {
        _ready.Enqueue(reference);
        Interlocked.Exchange(ref _waiting, null)?.Set();
    }

    private sealed class ReadyObjectContinuation(ReadyObjectQueue queue, ObjectRef reference) : ObjectRefContinuation
    {
        public override void Run() => queue.Add(reference);
    }
}
