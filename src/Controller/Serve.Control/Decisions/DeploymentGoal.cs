namespace Serve.Control;

/// <summary>What one deployment is to be brought to now, once failures and the way back are taken into account.</summary>
internal sealed record DeploymentGoal(DeploymentId Id)
{
    /// <summary>The revision whose replicas are wanted; null when none are.</summary>
    public ApplicationRevision? Revision { get; init; }

    /// <summary>The settings wanted; null when the deployment goes.</summary>
    public DeploymentRevision? Deployment { get; init; }

    /// <summary>How many replicas are wanted.</summary>
    public int TargetReplicas { get; init; }

    /// <summary>The revision that is kept at full strength until the wanted one has shown that it comes up; null when there is no other.</summary>
    public ApplicationRevision? FallbackRevision { get; init; }

    /// <summary>Its settings.</summary>
    public DeploymentRevision? FallbackDeployment { get; init; }

    /// <summary>Whether no replica is to be started any more.</summary>
    public bool IsFrozen { get; init; }

    /// <summary>Why what was asked for cannot be brought up; null while it can.</summary>
    public string? Failure { get; init; }

    /// <summary>Whether the deployment is on its way out.</summary>
    public bool IsLeaving => Deployment is null;

    /// <summary>How many replicas there may be above what is wanted while they are replaced.</summary>
    public int Surge => Math.Max(1, TargetReplicas / 5);
}
