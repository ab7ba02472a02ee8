using System.Collections.Immutable;

namespace Serve.Runtime.Placement;

/// <summary>Searches for a way to lay bundles onto nodes. Its state is what is left of each node on the path that it follows.</summary>
internal sealed class BundleSearch
{
    private const int MaxSteps = 20_000;
    private readonly string[] resources;
    private readonly long[][] demands;
    private readonly long[][] left;
    private readonly int[] order;
    private readonly int[] nodeOf;
    private readonly int[] used;
    private int opened;
    private int steps;

    public BundleSearch(IReadOnlyList<ResourceDemand> bundles, IReadOnlyList<ResourceDemand> free)
    {
        resources = [.. bundles.SelectMany(bundle => bundle.Units.Keys).Distinct(StringComparer.Ordinal)];
        demands = [.. bundles.Select(Row)];
        left = [.. free.Select(Row)];
        nodeOf = new int[bundles.Count];
        used = new int[free.Count];

        // Large ones first: what cannot be laid is found out early.
        var widest = Enumerable.Range(0, resources.Length).Select(resource => Math.Max(1.0, left.Max(node => node[resource]))).ToArray();
        order = [.. Enumerable.Range(0, bundles.Count).OrderByDescending(bundle => demands[bundle].Select((units, resource) => units / widest[resource]).Max())];

        long[] Row(ResourceDemand amounts) => [.. resources.Select(resource => amounts.Units.GetValueOrDefault(resource))];
    }

    public static bool Fits(ResourceDemand demand, ResourceDemand free) =>
        demand.Units.All(unit => unit.Value <= free.Units.GetValueOrDefault(unit.Key));

    /// <summary>A way that uses so many nodes at least and at most; null when there is none.</summary>
    /// <param name="least">At least.</param>
    /// <param name="most">At most.</param>
    /// <param name="isUnsure">Whether the search was given up, so that there may be one.</param>
    public ImmutableArray<int>? Find(int least, int most, out bool isUnsure)
    {
        steps = 0;
        var isFound = Lay(0, least, most);
        isUnsure = !isFound && steps > MaxSteps;
        var found = isFound ? nodeOf.ToImmutableArray() : default(ImmutableArray<int>?);
        if (isFound)
            TakeUp();
        return found;
    }

    /// <summary>A way that gives each bundle a node of its own: a matching, found by augmenting paths (Kuhn), so that it is exact at any size.</summary>
    public ImmutableArray<int>? FindEachOnItsOwn()
    {
        var bundleOn = new int[left.Length];
        Array.Fill(bundleOn, -1);
        for (var bundle = 0; bundle < demands.Length; bundle++)
        {
            if (!Augment(bundle, bundleOn, new bool[left.Length]))
                return null;
        }

        for (var node = 0; node < bundleOn.Length; node++)
        {
            if (bundleOn[node] >= 0)
                nodeOf[bundleOn[node]] = node;
        }

        return [.. nodeOf];
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
        for (var node = 0; node < left.Length; node++)
        {
            if (seen[node] || !Fits(demands[bundle], left[node]))
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
        if (position == order.Length)
            return opened >= least;
        if (opened + order.Length - position < least)
            return false;
        var bundle = order[position];

        // Who must spread opens nodes first, who packs fills those that it has.
        var opensFirst = least > 1;
        return TryNodes(bundle, position, least, most, isOpen: !opensFirst) || TryNodes(bundle, position, least, most, isOpen: opensFirst);
    }

    private bool TryNodes(int bundle, int position, int least, int most, bool isOpen)
    {
        if (!isOpen && opened >= most)
            return false;
        for (var node = 0; node < left.Length; node++)
        {
            if (used[node] > 0 != isOpen || !Fits(demands[bundle], left[node]) || IsLikeAnEarlierOne(node))
                continue;
            if (++steps > MaxSteps)
                return false;
            Move(bundle, node, +1);
            nodeOf[bundle] = node;
            if (Lay(position + 1, least, most))
                return true;
            Move(bundle, node, -1);
        }

        return false;
    }

    /// <summary>Whether an unused node before it has as much left: it need not be tried as well.</summary>
    private bool IsLikeAnEarlierOne(int node)
    {
        if (used[node] > 0)
            return false;
        for (var earlier = 0; earlier < node; earlier++)
        {
            if (used[earlier] == 0 && left[earlier].AsSpan().SequenceEqual(left[node]))
                return true;
        }

        return false;
    }

    private void Move(int bundle, int node, int direction)
    {
        for (var resource = 0; resource < resources.Length; resource++)
            left[node][resource] -= direction * demands[bundle][resource];
        var before = used[node];
        used[node] += direction;
        opened += (before == 0 ? 1 : 0) - (used[node] == 0 ? 1 : 0);
    }

    private void TakeUp()
    {
        for (var bundle = 0; bundle < nodeOf.Length; bundle++)
            Move(bundle, nodeOf[bundle], -1);
    }
}
