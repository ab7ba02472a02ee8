namespace Serve.Admin;

/// <summary>What <c>POST /api/v1/shutdown</c> stopped; returned before the node itself exits.</summary>
public sealed record NodeShutdownReport
{
    /// <summary>The node's own process, which exits after the response.</summary>
    public int NodePid { get; init; }

    /// <summary>The applications that were drained and stopped.</summary>
    public IReadOnlyList<string> Applications { get; init; } = [];

    /// <summary>The replicas that were drained and stopped.</summary>
    public IReadOnlyList<string> Replicas { get; init; } = [];

    /// <summary>The worker processes that were stopped.</summary>
    public IReadOnlyList<WorkerProcessDetails> Processes { get; init; } = [];

    /// <summary>The addresses that the node no longer listens on after it has exited.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = [];
}

/// <summary>Body of <c>POST /api/v1/applications/{app}/deployments/{dep}/scale</c>.</summary>
public sealed record ScaleDeploymentRequest
{
    /// <summary>The number of replicas that the deployment is to have, 0 to 10000.</summary>
    public required int TargetNumReplicas { get; init; }
}

/// <summary>An uploaded package, as returned by <c>POST /api/v1/packages</c>.</summary>
public sealed record UploadedPackageReference
{
    /// <summary>The <c>import_path</c> of an application that uses it: <c>package:HASH</c>.</summary>
    public required string ImportPath { get; init; }
}
