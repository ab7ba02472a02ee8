using System.Collections.Immutable;

namespace Serve;

/// <summary>The state of one node of a cluster.</summary>
public sealed record NodeState
{
    /// <summary>The node's id.</summary>
    public required string NodeId { get; init; }

    /// <summary>The node's state, for instance <c>ALIVE</c>.</summary>
    public string State { get; init; } = "ALIVE";

    /// <summary>Whether the driver runs on this node.</summary>
    public bool IsHeadNode { get; init; }

    /// <summary>Total resources by name.</summary>
    public required ImmutableSortedDictionary<string, double> ResourcesTotal { get; init; }

    /// <summary>Available resources by name.</summary>
    public required ImmutableSortedDictionary<string, double> ResourcesAvailable { get; init; }
}
