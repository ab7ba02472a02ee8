namespace Serve.Routing.Pickers;

/// <summary>
/// Upper bound of a replica's load relative to the mean (Mirrokni, Thorup, Zadimoghaddam: "Consistent Hashing with Bounded Loads"): a replica receives a request only if it then has at most
/// ⌈1.25 × (ongoing requests of all replicas + 1) / number of replicas⌉.
/// </summary>
/// <param name="replicas">The replicas.</param>
internal struct LoadBound(RoutableReplica[] replicas)
{
    private const double Factor = 1.25;

    // Counted when the first replica with a request is checked: an idle one is always within the bound.
    private int _bound;

    /// <summary>Returns whether a replica is available and within the bound.</summary>
    public bool Admits(RoutableReplica replica)
    {
        if (!replica.IsAvailable)
            return false;
        var ongoing = replica.Ongoing;
        if (ongoing == 0)
            return true;
        if (_bound == 0)
            _bound = Count();
        return ongoing < _bound;
    }

    private readonly int Count()
    {
        var total = 1;
        foreach (var replica in replicas)
            total += replica.Ongoing;
        return (int)Math.Ceiling(Factor * total / replicas.Length);
    }
}
