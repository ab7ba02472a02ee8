using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Serve.Specs;

namespace Serve.Replicas;

/// <summary>
/// Everything that a process needs to start a replica: the payload of a replica's actor, written by the controller as JSON (<see cref="ServeJson.Options"/>).
/// </summary>
public sealed record ReplicaStartRequest
{
    /// <summary>The actor kind of replicas.</summary>
    public const string ActorKind = "replica";

    /// <summary>The replica's id, <see cref="Serve.ReplicaId"/> as text; also its actor's id.</summary>
    public required string ReplicaId { get; init; }

    /// <summary>The merged settings.</summary>
    public required DeploymentSpec Spec { get; init; }

    /// <summary>The assembly in the package's folder; null for a package without code, which a built-in class serves.</summary>
    public string? AssemblyFile { get; init; }

    /// <summary>Content hash of the package, by which each node finds it. Replicas with the same hash in one process share the loaded assemblies.</summary>
    public required string PackageHash { get; init; }

    /// <summary>Number of the application's revision that it was started for.</summary>
    public long Revision { get; init; }

    /// <summary>Hash of everything that requires a restart to change. With <see cref="SettingsVersion"/>, lets a controller that has started recognize the replica.</summary>
    public string DeploymentVersion { get; init; } = "";

    /// <summary>Hash of the settings that can be changed without a restart.</summary>
    public string SettingsVersion { get; init; } = "";

    /// <summary>Full name of the deployment class.</summary>
    public required string TypeName { get; init; }

    /// <summary>Constructor arguments by parameter name.</summary>
    public JsonObject? Args { get; init; }

    /// <summary>Its place among the replicas of the deployment.</summary>
    public ReplicaPlace Place { get; init; } = ReplicaPlace.Single;

    /// <summary>Its gang; null if it is in none.</summary>
    public ReplicaGang? Gang { get; init; }

    /// <summary>Which process hosts the replica; with a process of its own it shares the machine's CPUs with other processes.</summary>
    public IsolationMode Isolation { get; init; }

    /// <summary>Names of the application's deployments by full class name; resolves <c>DeploymentHandle&lt;T&gt;</c> parameters.</summary>
    public ImmutableSortedDictionary<string, string> DeploymentsByType { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}

/// <summary>New settings of a running replica that require no restart, as JSON (<see cref="ServeJson.Options"/>).</summary>
public sealed record ReplicaSettingsUpdate
{
    /// <summary>The new settings.</summary>
    public required DeploymentSpec Spec { get; init; }

    /// <summary>Hash of the new settings, as in <see cref="ReplicaStartRequest.SettingsVersion"/>.</summary>
    public string SettingsVersion { get; init; } = "";

    /// <summary>The new place.</summary>
    public ReplicaPlace Place { get; init; } = ReplicaPlace.Single;
}
