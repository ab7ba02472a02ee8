using Serve.Specs;

namespace Serve.Admin;

/// <summary>One application: what is wanted, what is, and why; Ray Serve's names.</summary>
public sealed record ApplicationDetails
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Where it answers; null when by handles only.</summary>
    public string? RoutePrefix { get; init; }

    /// <summary>Where its own API documents are; null when it has none.</summary>
    public string? DocsPath { get; init; }

    /// <summary>How it is.</summary>
    public ApplicationStatus Status { get; init; }

    /// <summary>Why, for people; empty when there is nothing to say.</summary>
    public string Message { get; init; } = "";

    /// <summary>When it was last deployed: seconds since 1970, UTC.</summary>
    public double LastDeployedTimeS { get; init; }

    /// <summary>What was asked for, settings merged: <c>deploy</c> takes it.</summary>
    public ApplicationConfig? DeployedAppConfig { get; init; }

    /// <summary>Who asked: <c>declarative</c> as all requests are.</summary>
    public string Source { get; init; } = "declarative";

    /// <summary>The deployment that answers HTTP.</summary>
    public string? Ingress { get; init; }

    /// <summary>The content hash of its code.</summary>
    public string? CodeHash { get; init; }

    /// <summary>Its deployments by name.</summary>
    public IReadOnlyDictionary<string, DeploymentDetails> Deployments { get; init; } = new Dictionary<string, DeploymentDetails>();
}
