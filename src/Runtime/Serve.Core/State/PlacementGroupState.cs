using System.Collections.Immutable;

namespace Serve;

/// <summary>The state of one placement group.</summary>
public sealed record PlacementGroupState
{
    /// <summary>The group's id.</summary>
    public required string PlacementGroupId { get; init; }

    /// <summary>The group's name; null if it has none.</summary>
    public string? Name { get; init; }

    /// <summary><c>PENDING</c>, <c>CREATED</c> or <c>REMOVED</c>.</summary>
    public required string State { get; init; }

    /// <summary>How the bundles are placed across nodes.</summary>
    public required PlacementStrategy Strategy { get; init; }

    /// <summary>The resources of each bundle.</summary>
    public required ImmutableArray<Bundle> Bundles { get; init; }

    /// <summary>The node of each bundle; empty while the reservation is pending.</summary>
    public ImmutableArray<string> Nodes { get; init; } = [];
}
