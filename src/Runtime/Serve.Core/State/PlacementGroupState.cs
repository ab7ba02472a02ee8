using System.Collections.Immutable;

namespace Serve;

/// <summary>The state of one placement group.</summary>
public sealed record PlacementGroupState
{
    /// <summary>The group's id.</summary>
    public required string PlacementGroupId { get; init; }

    /// <summary>The group's name; null if it has none.</summary>
    public string? Name { get; init; }

    /// <summary><c>PENDING</c>, <c>CREATED</c>, <c>REMOVED</c>, or <c>RESCHEDULING</c> while bundles that were lost with their node are reserved again.</summary>
    public required string State { get; init; }

    /// <summary>How the bundles are placed across nodes.</summary>
    public required PlacementStrategy Strategy { get; init; }

    /// <summary>The resources of each bundle.</summary>
    public required ImmutableArray<Bundle> Bundles { get; init; }

    /// <summary>The node of each bundle; empty while the reservation is pending; an empty text for a bundle that was lost with its node.</summary>
    public ImmutableArray<string> Nodes { get; init; } = [];
}
