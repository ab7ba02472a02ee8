using System.Collections.Concurrent;
using Serve.Runtime.Serialization;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Objects in shared memory that are on their way to one worker: they stay there until it says that it has opened them, or ends.</summary>
internal sealed class PinnedObjectTransfers
{
    private readonly ConcurrentDictionary<long, EncodedObject> _kept = new();

    public void Keep(long number, EncodedObject stored)
    {
        stored.Pin();
        if (!_kept.TryAdd(number, stored))
            stored.Unpin();
    }

    public void Taken(long number)
    {
        if (_kept.TryRemove(number, out var stored))
            stored.Unpin();
    }

    public void Clear()
    {
        foreach (var number in _kept.Keys)
            Taken(number);
    }
}
