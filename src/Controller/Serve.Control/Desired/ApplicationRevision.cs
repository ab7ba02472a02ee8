using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Serve.Specs;

namespace Serve.Control;

/// <summary>One application's code and settings at one moment, complete and checked. Never changed, only succeeded by another.</summary>
public sealed record ApplicationRevision
{
    /// <summary>Grows with every change of the application.</summary>
    public required long Number { get; init; }

    /// <summary>What made it.</summary>
    public RevisionChange Change { get; init; }

    /// <summary>What was asked for.</summary>
    public required ApplicationConfig Config { get; init; }

    /// <summary>Its code.</summary>
    public required ApplicationPackage Package { get; init; }

    /// <summary>Which process its replicas live in.</summary>
    public required IsolationMode Isolation { get; init; }

    /// <summary>Where HTTP requests reach it; null for nowhere.</summary>
    public string? RoutePrefix { get; init; }

    /// <summary>Its deployments by name.</summary>
    public required ImmutableSortedDictionary<string, DeploymentRevision> Deployments { get; init; }

    /// <summary>The deployment that answers HTTP.</summary>
    [JsonIgnore]
    public string Ingress => Package.Ingress;

    /// <summary>One of its deployments; null when it has none of that name.</summary>
    public DeploymentRevision? Find(string deployment) => Deployments.GetValueOrDefault(deployment);
}
