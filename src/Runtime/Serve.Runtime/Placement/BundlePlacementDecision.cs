using System.Collections.Immutable;

namespace Serve.Runtime.Placement;

/// <summary>Where the bundles of a group are to lie, or why nowhere.</summary>
internal abstract record BundlePlacementDecision
{
    private BundlePlacementDecision()
    {
    }

    /// <summary>Now.</summary>
    /// <param name="NodeOf">For each bundle the index of its node.</param>
    public sealed record Place(ImmutableArray<int> NodeOf) : BundlePlacementDecision;

    /// <summary>When enough comes free.</summary>
    public sealed record Wait : BundlePlacementDecision;

    /// <summary>Never.</summary>
    /// <param name="Because">Why, for people.</param>
    public sealed record Impossible(string Because) : BundlePlacementDecision;
}
