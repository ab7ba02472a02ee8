using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Serve.Specs;

namespace Serve.Control.Desired;

/// <summary>Immutable, validated code and settings of an application. A change is a new revision.</summary>
public sealed record ApplicationRevision
{
    /// <summary>Grows with every deployed revision of the application.</summary>
    public required long Number { get; init; }

    /// <summary>The configuration it was built from.</summary>
    public required ApplicationConfig Config { get; init; }

    /// <summary>Its code.</summary>
    public required ApplicationPackage Package { get; init; }

    /// <summary>Which process hosts its replicas.</summary>
    public required IsolationMode Isolation { get; init; }

    /// <summary>Path prefix of its HTTP requests; null if it has none.</summary>
    public string? RoutePrefix { get; init; }

    /// <summary>Its deployments by name.</summary>
    public required ImmutableSortedDictionary<string, DeploymentRevision> Deployments { get; init; }

    /// <summary>The deployment that answers HTTP.</summary>
    [JsonIgnore]
    public string Ingress => Package.Ingress;

    /// <summary>Returns a deployment; null if it has none of that name.</summary>
    public DeploymentRevision? Find(string deployment) => Deployments.GetValueOrDefault(deployment);
}

/// <summary>One deployment of a revision: its settings and two hashes that decide whether replicas are replaced, reconfigured or left alone.</summary>
public sealed record DeploymentRevision
{
    /// <summary>The merged settings.</summary>
    public required DeploymentSpec Spec { get; init; }

    /// <summary>Full name of the class.</summary>
    public required string TypeName { get; init; }

    /// <summary>Hash of everything that requires a restart: code, arguments, isolation, settings of <see cref="UpdateImpact.Restart"/>.</summary>
    public required string Version { get; init; }

    /// <summary>Hash of the settings that running replicas apply in place: those of <see cref="UpdateImpact.Reconfigure"/>.</summary>
    public required string Settings { get; init; }

    /// <summary>Returns a number of replicas, rounded up to whole gangs.</summary>
    public int InWholeGangs(int replicas)
    {
        var size = Spec.Gang?.GangSize ?? 1;
        return (replicas + size - 1) / size * size;
    }

    /// <summary>Returns whether replicas of one need no change to be replicas of the other.</summary>
    public bool IsSameAs(DeploymentRevision other) => Version == other.Version && Settings == other.Settings;
}
