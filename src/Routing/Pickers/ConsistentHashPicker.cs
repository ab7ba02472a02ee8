using System.Numerics;

namespace Serve.Routing.Pickers;

/// <summary>
/// Picks the replica that follows the hash of the request's key on a ring (Karger et al.), and the next ones on the ring while it is busy or above its <see cref="LoadBound"/>. A replica that
/// joins takes its share of the keys from the others, and one that leaves returns its share; no other key moves. Requests without a key are distributed by <see cref="PowerOfTwoChoicesPicker"/>.
/// </summary>
/// <remarks>
/// The ring is an array of points that are sorted by hash. As hashes are uniform, a table of the first point of each of as many equal ranges as there are points finds the position of a hash in
/// one step on average, instead of a binary search.
/// </remarks>
internal sealed class ConsistentHashPicker : ReplicaPicker
{
    /// <summary>Points per replica: the shares of the keys deviate by about 1/√160 = 8 %.</summary>
    private const int PointsPerReplica = 160;

    private readonly RoutableReplica[] _replicas;
    private readonly PowerOfTwoChoicesPicker _withoutKey;
    private readonly ulong[] _hashes;
    private readonly int[] _owners;
    private readonly int[] _firstOfRange;
    private readonly int _rangeShift;

    /// <param name="replicas">The replicas.</param>
    public ConsistentHashPicker(RoutableReplica[] replicas)
    {
        _replicas = replicas;
        _withoutKey = new PowerOfTwoChoicesPicker(replicas);
        var points = replicas.SelectMany((replica, index) => Enumerable.Range(0, PointsPerReplica).Select(point => (Hash: PointOf(replica.ReplicaId, point), Owner: index)))
            .OrderBy(point => point.Hash).ThenBy(point => replicas[point.Owner].ReplicaId, StringComparer.Ordinal).ToArray();
        _hashes = [.. points.Select(point => point.Hash)];
        _owners = [.. points.Select(point => point.Owner)];
        var ranges = BitOperations.RoundUpToPowerOf2((uint)Math.Max(2, points.Length));
        _rangeShift = 64 - BitOperations.Log2(ranges);
        _firstOfRange = new int[ranges];
        for (int range = 0, point = 0; range < ranges; range++)
        {
            while (point < _hashes.Length && (int)(_hashes[point] >> _rangeShift) < range)
                point++;
            _firstOfRange[range] = point;
        }
    }

    /// <inheritdoc/>
    public override int Pick(in RoutingRequest request)
    {
        if (request.Key is not { } key)
            return _withoutKey.Pick(request);
        if (_replicas.Length == 0)
            return -1;
        var bound = new LoadBound(_replicas);
        var point = FindPoint(RoutingKeyHash.Of(key));
        for (var i = 0; i < _owners.Length; i++)
        {
            var owner = _owners[point];
            if (bound.Admits(_replicas[owner]))
                return owner;
            if (++point == _owners.Length)
                point = 0;
        }

        // All replicas are busy, or were within the bound one after the other.
        return _withoutKey.Pick(request);
    }

    private int FindPoint(ulong hash)
    {
        var point = _firstOfRange[(int)(hash >> _rangeShift)];
        while (point < _hashes.Length && _hashes[point] < hash)
            point++;
        return point == _hashes.Length ? 0 : point;
    }

    private static ulong PointOf(string replica, int point) => RoutingKeyHash.Of([(char)point], RoutingKeyHash.Of(replica));
}
