using System.Collections.Immutable;

namespace Serve.Runtime.Placement;

/// <summary>Search for an assignment of bundles to nodes. Its state is the remaining resources of each node on the current path.</summary>
internal sealed class BundlePlacementSearch
{
    private const int MaxSteps = 20_000;
    private readonly string[] _resources;
    private readonly long[][] _demands;
    private readonly long[][] _left;
    private readonly int[] _order;
    private readonly int[] _nodeOf;
    private readonly int[] _used;
    private int _opened;
    private int _steps;

    public BundlePlacementSearch(IReadOnlyList<ResourceDemand> bundles, IReadOnlyList<ResourceDemand> free)
    {
        _resources = [.. bundles.SelectMany(bundle => bundle.Units.Keys).Distinct(StringComparer.Ordinal)];
        _demands = [.. bundles.Select(Row)];
        _left = [.. free.Select(Row)];
        _nodeOf = new int[bundles.Count];
        _used = new int[free.Count];

        // Largest first: bundles that cannot be placed are found early.
        var widest = Enumerable.Range(0, _resources.Length).Select(resource => Math.Max(1.0, _left.Max(node => node[resource]))).ToArray();
        _order = [.. Enumerable.Range(0, bundles.Count).OrderByDescending(bundle => _demands[bundle].Select((units, resource) => units / widest[resource]).Max())];

        long[] Row(ResourceDemand amounts) => [.. _resources.Select(resource => amounts.Units.GetValueOrDefault(resource))];
    }

    public static bool Fits(ResourceDemand demand, ResourceDemand free) =>
        demand.Units.All(unit => unit.Value <= free.Units.GetValueOrDefault(unit.Key));

    /// <summary>Finds an assignment with a limited number of nodes; null if there is none.</summary>
    /// <param name="least">Minimum number of nodes.</param>
    /// <param name="most">Maximum number of nodes.</param>
    /// <param name="isUnsure">Whether the search was abandoned, so that an assignment may exist.</param>
    public ImmutableArray<int>? Find(int least, int most, out bool isUnsure)
    {
        _steps = 0;
        var isFound = Lay(0, least, most);
        isUnsure = !isFound && _steps > MaxSteps;
        var found = isFound ? _nodeOf.ToImmutableArray() : default(ImmutableArray<int>?);
        if (isFound)
            TakeUp();
        return found;
    }

    /// <summary>Finds an assignment of each bundle to a distinct node: a bipartite matching with augmenting paths (Kuhn's algorithm), which is exact at any size.</summary>
    public ImmutableArray<int>? FindOnDistinctNodes()
    {
        var bundleOn = new int[_left.Length];
        Array.Fill(bundleOn, -1);
        for (var bundle = 0; bundle < _demands.Length; bundle++)
        {
            if (!Augment(bundle, bundleOn, new bool[_left.Length]))
                return null;
        }

        for (var node = 0; node < bundleOn.Length; node++)
        {
            if (bundleOn[node] >= 0)
                _nodeOf[bundleOn[node]] = node;
        }

        return [.. _nodeOf];
    }

    private static bool Fits(long[] demand, long[] room)
    {
        for (var resource = 0; resource < demand.Length; resource++)
        {
            if (demand[resource] > room[resource])
                return false;
        }

        return true;
    }

    private bool Augment(int bundle, int[] bundleOn, bool[] seen)
    {
        for (var node = 0; node < _left.Length; node++)
        {
            if (seen[node] || !Fits(_demands[bundle], _left[node]))
                continue;
            seen[node] = true;
            if (bundleOn[node] >= 0 && !Augment(bundleOn[node], bundleOn, seen))
                continue;
            bundleOn[node] = bundle;
            return true;
        }

        return false;
    }

    private bool Lay(int position, int least, int most)
    {
        if (position == _order.Length)
            return _opened >= least;
        if (_opened + _order.Length - position < least)
            return false;
        var bundle = _order[position];

        // To spread, unused nodes are tried first; to pack, used ones.
        var opensFirst = least > 1;
        return TryNodes(bundle, position, least, most, isOpen: !opensFirst) || TryNodes(bundle, position, least, most, isOpen: opensFirst);
    }

    private bool TryNodes(int bundle, int position, int least, int most, bool isOpen)
    {
        if (!isOpen && _opened >= most)
            return false;
        for (var node = 0; node < _left.Length; node++)
        {
            if (_used[node] > 0 != isOpen || !Fits(_demands[bundle], _left[node]) || IsLikeAnEarlierOne(node))
                continue;
            if (++_steps > MaxSteps)
                return false;
            Move(bundle, node, +1);
            _nodeOf[bundle] = node;
            if (Lay(position + 1, least, most))
                return true;
            Move(bundle, node, -1);
        }

        return false;
    }

    /// <summary>Whether an earlier unused node has the same resources left, so that this one need not be tried.</summary>
    private bool IsLikeAnEarlierOne(int node)
    {
        if (_used[node] > 0)
            return false;
        for (var earlier = 0; earlier < node; earlier++)
        {
            if (_used[earlier] == 0 && _left[earlier].AsSpan().SequenceEqual(_left[node]))
                return true;
        }

        return false;
    }

    private void Move(int bundle, int node, int direction)
    {
        for (var resource = 0; resource < _resources.Length; resource++)
            _left[node][resource] -= direction * _demands[bundle][resource];
        var before = _used[node];
        _used[node] += direction;
        _opened += (before == 0 ? 1 : 0) - (_used[node] == 0 ? 1 : 0);
    }

    private void TakeUp()
    {
        for (var bundle = 0; bundle < _nodeOf.Length; bundle++)
            Move(bundle, _nodeOf[bundle], -1);
    }
}
