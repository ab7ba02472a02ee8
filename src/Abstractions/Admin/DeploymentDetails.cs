using Serve.Specs;

namespace Serve.Admin;

/// <summary>One deployment: what is wanted, what is, and why; Ray Serve's names.</summary>
public sealed record DeploymentDetails
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>How it is.</summary>
    public DeploymentStatus Status { get; init; }

    /// <summary>What brought it there.</summary>
    public DeploymentStatusTrigger StatusTrigger { get; init; }

    /// <summary>Why, for people; empty when there is nothing to say.</summary>
    public string Message { get; init; } = "";

    /// <summary>Its settings, every source merged.</summary>
    public required DeploymentOptions DeploymentConfig { get; init; }

    /// <summary>How many replicas are wanted.</summary>
    public int TargetNumReplicas { get; init; }

    /// <summary>What one replica reserves, by resource name.</summary>
    public IReadOnlyDictionary<string, double> RequiredResources { get; init; } = new Dictionary<string, double>();

    /// <summary>Its replicas, by rank.</summary>
    public IReadOnlyList<ReplicaDetails> Replicas { get; init; } = [];
}
