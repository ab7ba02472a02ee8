namespace Serve;

/// <summary>Where a task or an actor is to run.</summary>
public abstract record SchedulingStrategy
{
    private SchedulingStrategy()
    {
    }

    /// <summary>Where there is most room. As good as the default on one node.</summary>
    public static SchedulingStrategy Spread { get; } = new SpreadStrategy();

    /// <summary>On one node.</summary>
    /// <param name="NodeId">The node; the only one is called <c>node</c>.</param>
    /// <param name="Soft">Elsewhere when that node is not there. Default false: it fails then.</param>
    public sealed record NodeAffinity(string NodeId, bool Soft = false) : SchedulingStrategy;

    /// <summary>With resources that a placement group holds.</summary>
    /// <param name="Group">The group.</param>
    /// <param name="Bundle">Which bundle; -1 for any. Default -1.</param>
    /// <param name="CaptureChildTasks">Whether what is started from inside runs in the group too. Default false.</param>
    public sealed record InGroup(PlacementGroup Group, int Bundle = -1, bool CaptureChildTasks = false) : SchedulingStrategy;

    internal sealed record SpreadStrategy : SchedulingStrategy;
}
