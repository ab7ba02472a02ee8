using System.Collections.Immutable;
using Serve.Routes;

namespace Serve.Control.Observed;

/// <summary>The newest published route snapshot and the versions that each node has acknowledged.</summary>
public sealed record RoutePublicationState
{
    /// <summary>The newest published snapshot.</summary>
    public RouteSnapshot Newest { get; init; } = RouteSnapshot.Empty;

    /// <summary>The nodes that the newest snapshot was sent to.</summary>
    public ImmutableHashSet<NodeId> SentTo { get; init; } = [];

    /// <summary>The newest version that all processes of a node have applied, by node.</summary>
    public ImmutableDictionary<NodeId, SnapshotVersion> Acknowledged { get; init; } = ImmutableDictionary<NodeId, SnapshotVersion>.Empty;

    /// <summary>When to publish again because a node did not acknowledge the newest snapshot; null if that is not necessary.</summary>
    public DateTimeOffset? RetryAt { get; init; }
}
