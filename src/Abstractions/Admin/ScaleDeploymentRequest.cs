namespace Serve.Admin;

/// <summary>The body of <c>POST /api/v1/applications/{app}/deployments/{dep}/scale</c>.</summary>
public sealed record ScaleDeploymentRequest
{
    /// <summary>How many replicas are wanted, 0 to 10000.</summary>
    public required int TargetNumReplicas { get; init; }
}
