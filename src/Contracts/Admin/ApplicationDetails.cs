using Serve.Specs;

namespace Serve.Admin;

/// <summary>Desired and actual state of one application, in Ray Serve's schema.</summary>
public sealed record ApplicationDetails
{
    /// <summary>The application's name.</summary>
    public required string Name { get; init; }

    /// <summary>Path prefix of its HTTP requests; null if it is called by handles only.</summary>
    public string? RoutePrefix { get; init; }

    /// <summary>Path of its own API documentation; null if it has none.</summary>
    public string? DocsPath { get; init; }

    /// <summary>Its status.</summary>
    public ApplicationStatus Status { get; init; }

    /// <summary>Human-readable reason of the status; empty if there is none.</summary>
    public string Message { get; init; } = "";

    /// <summary>Time of the last deployment in seconds since 1970, UTC.</summary>
    public double LastDeployedTimeS { get; init; }

    /// <summary>The deployed configuration with merged settings; can be deployed again.</summary>
    public ApplicationConfig? DeployedAppConfig { get; init; }

    /// <summary>How it was deployed; always <c>declarative</c>.</summary>
    public string Source { get; init; } = "declarative";

    /// <summary>The deployment that answers HTTP.</summary>
    public string? Ingress { get; init; }

    /// <summary>Content hash of its code.</summary>
    public string? CodeHash { get; init; }

    /// <summary>Number of its revision.</summary>
    public long Revision { get; init; }

    /// <summary>Its second revision; null if there is none.</summary>
    public CanaryDetails? Canary { get; init; }

    /// <summary>Its deployments by name.</summary>
    public IReadOnlyDictionary<string, DeploymentDetails> Deployments { get; init; } = new Dictionary<string, DeploymentDetails>();
}
