using System.Collections.Immutable;

namespace Serve.Specs;

/// <summary>What one replica reserves in its node's ledger. Amounts are kept to 0.0001.</summary>
public sealed record ReplicaResourceSpec
{
    /// <summary>CPU cores reserved; a fraction shares one. Default 0: a replica is an object in a process, not a core.</summary>
    public double NumCpus { get; init; }

    /// <summary>GPUs reserved; below 1 shares a device, above 1 must be whole. Default 0.</summary>
    public double NumGpus { get; init; }

    /// <summary>Memory reserved, in bytes. Default 0: not accounted for.</summary>
    public long Memory { get; init; }

    /// <summary>Custom resources by name, as the node was started with. Default none.</summary>
    public ImmutableSortedDictionary<string, double> Resources { get; init; } = ImmutableSortedDictionary<string, double>.Empty;
}
