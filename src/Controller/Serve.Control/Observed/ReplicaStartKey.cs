namespace Serve.Control;

/// <summary>What a start history is about: one deployment at one version and settings.</summary>
public readonly record struct ReplicaStartKey(DeploymentId Deployment, string Version, string Settings)
{
    /// <summary>The key of a deployment's target.</summary>
    public static ReplicaStartKey Of(DeploymentId id, DeploymentRevision target) => new(id, target.Version, target.Settings);
}
