namespace Serve;

/// <summary>Where a task or an actor is placed.</summary>
public abstract record SchedulingStrategy
{
    private SchedulingStrategy()
    {
    }

    /// <summary>Gets the strategy that prefers the node with the most available resources. Equivalent to the default on a single node.</summary>
    public static SchedulingStrategy Spread { get; } = new SpreadStrategy();

    /// <summary>A particular node.</summary>
    /// <param name="NodeId">The node, as in <see cref="PlacementGroupState.Nodes"/>; the node of a program that called <c>Cluster.Init</c> is <c>node</c>.</param>
    /// <param name="Soft">Whether another node may be used if this one does not exist. Default false: it fails then.</param>
    public sealed record NodeAffinity(string NodeId, bool Soft = false) : SchedulingStrategy;

    /// <summary>The reserved resources of a placement group.</summary>
    /// <param name="Group">The group.</param>
    /// <param name="Bundle">The bundle; -1 for any. Default -1.</param>
    /// <param name="CaptureChildTasks">Whether tasks and actors started from inside run in the group too. Default false.</param>
    public sealed record InGroup(PlacementGroup Group, int Bundle = -1, bool CaptureChildTasks = false) : SchedulingStrategy;

    /// <summary>The node with the most available resources.</summary>
    public sealed record SpreadStrategy : SchedulingStrategy;
}
