using System.Collections.Immutable;

namespace Serve;

/// <summary>What is known of one node of a cluster.</summary>
public sealed record NodeState
{
    /// <summary>Its id.</summary>
    public required string NodeId { get; init; }

    /// <summary><c>ALIVE</c>.</summary>
    public string State { get; init; } = "ALIVE";

    /// <summary>Whether the cluster's own process is on it.</summary>
    public bool IsHeadNode { get; init; }

    /// <summary>What it has.</summary>
    public required ImmutableSortedDictionary<string, double> ResourcesTotal { get; init; }

    /// <summary>What of it is free.</summary>
    public required ImmutableSortedDictionary<string, double> ResourcesAvailable { get; init; }
}
