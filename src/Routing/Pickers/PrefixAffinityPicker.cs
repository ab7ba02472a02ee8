namespace Serve.Routing.Pickers;

/// <summary>
/// Picks the replica that last received a request whose key has the longest common prefix, if it is available and within its <see cref="LoadBound"/>; otherwise the one with the fewest requests.
/// Requests without a key are distributed in the latter way. The record of sent prefixes survives a change of the replicas.
/// </summary>
/// <param name="replicas">The replicas.</param>
/// <param name="previous">The picker of the previous replicas; null if it had another policy.</param>
internal sealed class PrefixAffinityPicker(RoutableReplica[] replicas, PrefixAffinityPicker? previous) : ReplicaPicker
{
    private readonly SentPrefixTable _sent = previous?._sent ?? new();
    private readonly LeastOngoingPicker _otherwise = new(replicas);
    private readonly ulong[] _tags = [.. replicas.Select(replica => SentPrefixTable.TagOf(replica.ReplicaId))];

    /// <inheritdoc/>
    public override int Pick(in RoutingRequest request)
    {
        if (request.Key is not { Length: > 0 } key)
            return _otherwise.Pick(request);
        var bound = new LoadBound(replicas);
        var index = Find(key, ref bound);
        if (index < 0)
            index = _otherwise.Pick(request);
        if (index >= 0)
            _sent.Record(key, _tags[index]);
        return index;
    }

    private int Find(string key, ref LoadBound bound)
    {
        var found = -1;
        var prefix = new SentPrefixTable.Reader(_sent, key);
        ulong last = 0;
        while (prefix.TryReadNext(out var tag))
        {
            if (tag == last)
                continue;
            last = tag;
            if (Array.IndexOf(_tags, tag) is >= 0 and var index && bound.Admits(replicas[index]))
                found = index;
        }

        return found;
    }
}

/// <summary>
/// The replicas that recently received requests, by prefixes of their keys. A prefix is a number of whole blocks of characters; each has one entry in a table of fixed size, which a newer
/// prefix with the same position overwrites, so that memory is bounded and old prefixes are forgotten. Thread-safe without locks: an entry is one word, and a lost entry costs a cache hit only.
/// </summary>
internal sealed class SentPrefixTable
{
    private const int BlockLength = 32;
    private const int MaxBlocks = 512;
    private const int PositionBits = 16;
    private const ulong TagMask = 0xFF_FFFF;

    // The upper 40 bits and the position identify the prefix, the lower 24 bits the replica; 0 is a free entry.
    private readonly ulong[] _entries = new ulong[1 << PositionBits];

    /// <summary>Returns the tag of a replica; never 0.</summary>
    public static ulong TagOf(string replica) => Math.Max(1, RoutingKeyHash.Of(replica) & TagMask);

    /// <summary>Records that a replica receives a key.</summary>
    public void Record(string key, ulong tag)
    {
        var hash = RoutingKeyHash.Empty;
        for (var block = 0; block < BlocksOf(key); block++)
        {
            hash = Extend(hash, key, block);
            ref var entry = ref _entries[PositionOf(hash)];
            var value = (hash & ~TagMask) | tag;
            // A write would take the cache line from the other cores.
            if (Volatile.Read(ref entry) != value)
                Volatile.Write(ref entry, value);
        }
    }

    private static int BlocksOf(string key) => Math.Min(MaxBlocks, (key.Length + BlockLength - 1) / BlockLength);

    private static ulong Extend(ulong hash, string key, int block)
    {
        var start = block * BlockLength;
        return RoutingKeyHash.Of(key.AsSpan(start, Math.Min(BlockLength, key.Length - start)), hash);
    }

    private static int PositionOf(ulong hash) => (int)(hash & ((1 << PositionBits) - 1));

    /// <summary>Reads the replicas of the prefixes of a key, from the shortest prefix to the longest one that was sent.</summary>
    public ref struct Reader(SentPrefixTable table, string key)
    {
        private ulong _hash = RoutingKeyHash.Empty;
        private int _block;

        /// <summary>Reads the replica of the next longer prefix.</summary>
        public bool TryReadNext(out ulong tag)
        {
            tag = 0;
            if (_block >= BlocksOf(key))
                return false;
            _hash = Extend(_hash, key, _block++);
            var entry = Volatile.Read(ref table._entries[PositionOf(_hash)]);
            tag = entry & TagMask;
            return tag != 0 && (entry & ~TagMask) == (_hash & ~TagMask);
        }
    }
}
