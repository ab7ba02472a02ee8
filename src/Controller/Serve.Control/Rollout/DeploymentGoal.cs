using System.Collections.Immutable;
using Serve.Control.Desired;
using Serve.Control.Observed;

namespace Serve.Control.Rollout;

/// <summary>State that one deployment is to be brought to now, after failures and rollbacks have been taken into account.</summary>
internal sealed record DeploymentGoal(DeploymentId Id)
{
    /// <summary>The revision whose replicas are to run; null if none are.</summary>
    public ApplicationRevision? Revision { get; init; }

    /// <summary>The deployment's settings in <see cref="Revision"/>; null if the deployment is removed.</summary>
    public DeploymentRevision? Deployment { get; init; }

    /// <summary>The number of replicas.</summary>
    public int TargetReplicas { get; init; }

    /// <summary>Whether, at 0 replicas, requests are queued and reported to the controller.</summary>
    public bool WakesOnRequest { get; init; }

    /// <summary>The revision that is kept at full strength until the requested one has run once; null if there is no other.</summary>
    public ApplicationRevision? FallbackRevision { get; init; }

    /// <summary>The deployment's settings in <see cref="FallbackRevision"/>.</summary>
    public DeploymentRevision? FallbackDeployment { get; init; }

    /// <summary>Whether no more replicas are started.</summary>
    public bool IsFrozen { get; init; }

    /// <summary>Why the requested revision cannot be started; null while it can.</summary>
    public string? Failure { get; init; }

    /// <summary>Whether the deployment is being removed.</summary>
    public bool IsLeaving => Deployment is null;

    /// <summary>How many replicas above the target may exist while replicas are replaced: whole gangs.</summary>
    public int Surge => Math.Max(1, TargetReplicas / 5 / GangSize) * GangSize;

    /// <summary>Number of replicas that are started together.</summary>
    public int GangSize => Deployment?.Spec.Gang?.GangSize ?? 1;

    /// <summary>Describes the target as the reason of a start or stop.</summary>
    public string DescribeTarget() => $"the target is {TargetReplicas} {(TargetReplicas == 1 ? "replica" : "replicas")}";
}

/// <summary>Progress of one deployment towards its goal, as needed by the routes and the status.</summary>
internal sealed record DeploymentRolloutResult(DeploymentGoal Goal)
{
    /// <summary>The replicas that may receive requests.</summary>
    public ImmutableArray<ObservedReplica> Routed { get; init; } = [];

    /// <summary>Number of running replicas of the goal's revision.</summary>
    public int Ready { get; init; }

    /// <summary>Number of replicas of other versions, or on draining nodes, that still receive requests.</summary>
    public int Old { get; init; }

    /// <summary>Reason why the next start waits; null if it does not wait.</summary>
    public string? Waiting { get; init; }

    /// <summary>How many replicas have the new <c>user_config</c>; null if none waits for it.</summary>
    public string? SettingsProgress { get; init; }

    /// <summary>Whether the goal is reached.</summary>
    public bool IsSteady { get; init; }

    /// <summary>Number of replicas that exist, including those being stopped.</summary>
    public int Remaining { get; init; }
}
