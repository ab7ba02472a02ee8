using System.Collections.Immutable;

namespace Serve.Control;

/// <summary>How one deployment stands against its goal, as the routes and the status need it.</summary>
internal sealed record DeploymentRolloutResult(DeploymentGoal Goal)
{
    /// <summary>The replicas that may be sent requests.</summary>
    public ImmutableArray<ObservedReplica> Routed { get; init; } = [];

    /// <summary>How many replicas run what is wanted.</summary>
    public int Ready { get; init; }

    /// <summary>How many replicas of another version still take requests.</summary>
    public int Old { get; init; }

    /// <summary>What the next start waits for; null when nothing.</summary>
    public string? Waiting { get; init; }

    /// <summary>Whether there is nothing left to do.</summary>
    public bool IsSteady { get; init; }

    /// <summary>How many replicas are left, stopping ones included.</summary>
    public int Remaining { get; init; }
}
