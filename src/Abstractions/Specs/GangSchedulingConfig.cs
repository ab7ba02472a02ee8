using Serve.Specs.Binding;

namespace Serve.Specs;

/// <summary>Settings of a deployment whose replicas are placed and restarted in gangs, from one source; null where the source does not set a key. <c>gang_scheduling_config</c> in a file.</summary>
public sealed record GangSchedulingOptions
{
    /// <inheritdoc cref="GangSchedulingSpec.GangSize"/>
    [ConfigKey(Minimum = 1, Maximum = 10_000)]
    public int? GangSize { get; init; }

    /// <inheritdoc cref="GangSchedulingSpec.GangPlacementStrategy"/>
    public GangPlacementStrategy? GangPlacementStrategy { get; init; }

    /// <inheritdoc cref="GangSchedulingSpec.RuntimeFailurePolicy"/>
    public GangFailurePolicy? RuntimeFailurePolicy { get; init; }
}

/// <summary>How the replicas of a deployment form gangs: groups that are placed completely or not at all, and restarted together.</summary>
public sealed record GangSchedulingSpec
{
    /// <summary>Number of replicas per gang; the number of replicas is a multiple of it.</summary>
    public int GangSize { get; init; } = 1;

    /// <summary>How a gang is distributed over nodes. Default <c>PACK</c>.</summary>
    public GangPlacementStrategy GangPlacementStrategy { get; init; }

    /// <summary>Consequence of the failure of a replica. Default and only value <c>RESTART_GANG</c>.</summary>
    public GangFailurePolicy RuntimeFailurePolicy { get; init; }
}

/// <summary>How a gang is distributed over nodes.</summary>
public enum GangPlacementStrategy
{
    /// <summary>On as few nodes as possible.</summary>
    Pack,

    /// <summary>On as many nodes as possible.</summary>
    Spread,
}

/// <summary>Consequence of the failure of one replica of a gang.</summary>
public enum GangFailurePolicy
{
    /// <summary>All replicas of the gang are replaced.</summary>
    RestartGang,
}
