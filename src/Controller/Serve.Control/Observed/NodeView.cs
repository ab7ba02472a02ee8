namespace Serve.Control.Observed;

/// <summary>One node as the controller sees it.</summary>
public sealed record NodeView
{
    /// <summary>The node's id.</summary>
    public required NodeId Id { get; init; }

    /// <summary>The node's phase.</summary>
    public NodePhase Phase { get; init; } = NodePhase.Ready;

    /// <summary>Total resources; null if they are unlimited.</summary>
    public ResourceAmounts? Total { get; init; }

    /// <summary>Reserved resources, those of tasks and actors included.</summary>
    public ResourceAmounts Reserved { get; init; } = ResourceAmounts.None;

    /// <summary>Whether the node takes part in the publication of routes.</summary>
    public bool IsReachable => Phase is NodePhase.Joining or NodePhase.Ready or NodePhase.Draining;
}
