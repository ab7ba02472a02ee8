using System.Collections.Immutable;

namespace Serve.Runtime.Placement;

/// <summary>Placement of a group's bundles on nodes, or the reason why there is none.</summary>
internal abstract record BundlePlacementDecision
{
    private BundlePlacementDecision()
    {
    }

    /// <summary>The bundles can be placed now.</summary>
    /// <param name="NodeOf">Index of the node of each bundle.</param>
    public sealed record Place(ImmutableArray<int> NodeOf) : BundlePlacementDecision;

    /// <summary>The bundles can be placed when enough resources are released.</summary>
    public sealed record Wait : BundlePlacementDecision;

    /// <summary>The bundles can never be placed.</summary>
    /// <param name="Because">Human-readable reason.</param>
    public sealed record Impossible(string Because) : BundlePlacementDecision;
}

/// <summary>Resources of a node at the time of a decision.</summary>
/// <param name="Total">Total resources.</param>
/// <param name="Free">Unreserved resources.</param>
internal sealed record NodeResourceSnapshot(ResourceDemand Total, ResourceDemand Free);
