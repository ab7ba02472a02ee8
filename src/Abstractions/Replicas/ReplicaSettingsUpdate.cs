using Serve.Specs;

namespace Serve.Replicas;

/// <summary>What a running replica is told when settings change that need no restart. JSON, <see cref="ServeJson.Options"/>.</summary>
public sealed record ReplicaSettingsUpdate
{
    /// <summary>The settings as they are from now on.</summary>
    public required DeploymentSpec Spec { get; init; }

    /// <summary>Its rank from now on.</summary>
    public int Rank { get; init; }

    /// <summary>How many replicas the deployment is meant to have.</summary>
    public int WorldSize { get; init; } = 1;
}
