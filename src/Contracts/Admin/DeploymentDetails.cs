using Serve.Specs;

namespace Serve.Admin;

/// <summary>Desired and actual state of one deployment, in Ray Serve's schema.</summary>
public sealed record DeploymentDetails
{
    /// <summary>The deployment's name.</summary>
    public required string Name { get; init; }

    /// <summary>Its status.</summary>
    public DeploymentStatus Status { get; init; }

    /// <summary>The event that led to the status.</summary>
    public DeploymentStatusTrigger StatusTrigger { get; init; }

    /// <summary>Human-readable reason of the status; empty if there is none.</summary>
    public string Message { get; init; } = "";

    /// <summary>Human-readable facts about its replicas for the operator, for example that requests to a model are not batched and why.</summary>
    public IReadOnlyList<string> Notices { get; init; } = [];

    /// <summary>Its settings, merged from all sources.</summary>
    public required DeploymentOptions DeploymentConfig { get; init; }

    /// <summary>The number of replicas that it is to have now.</summary>
    public int TargetNumReplicas { get; init; }

    /// <summary>Resources that one replica reserves, by name.</summary>
    public IReadOnlyDictionary<string, double> RequiredResources { get; init; } = new Dictionary<string, double>();

    /// <summary>Inputs and decisions of its autoscaler; null if its number of replicas does not follow its load.</summary>
    public DeploymentAutoscalingDetail? AutoscalingDetail { get; init; }

    /// <summary>Its replicas by rank.</summary>
    public IReadOnlyList<ReplicaDetails> Replicas { get; init; } = [];
}
