using System.Collections.Immutable;

namespace Serve;

/// <summary>What is known of one placement group.</summary>
public sealed record PlacementGroupState
{
    /// <summary>Its id.</summary>
    public required string PlacementGroupId { get; init; }

    /// <summary>Its name; null when it has none.</summary>
    public string? Name { get; init; }

    /// <summary><c>PENDING</c>, <c>CREATED</c> or <c>REMOVED</c>.</summary>
    public required string State { get; init; }

    /// <summary>How its bundles lie on nodes.</summary>
    public required PlacementStrategy Strategy { get; init; }

    /// <summary>What each bundle holds.</summary>
    public required ImmutableArray<Bundle> Bundles { get; init; }

    /// <summary>The node each bundle lies on; empty while it waits.</summary>
    public ImmutableArray<string> Nodes { get; init; } = [];
}
