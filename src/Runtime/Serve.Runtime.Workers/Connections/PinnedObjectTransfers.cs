using System.Collections.Concurrent;
using Serve.Runtime.Serialization;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Shared-memory objects that are being sent to one worker: pinned until the worker confirms that it has opened them, or exits.</summary>
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
