using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Serve.Specs;

namespace Serve.Replicas;

/// <summary>
/// Everything a process needs in order to start one replica: the payload of a replica's actor. The controller writes it, the
/// replica room reads it, as JSON (<see cref="ServeJson.Options"/>).
/// </summary>
public sealed record ReplicaStartRequest
{
    /// <summary>The actor kind under which replicas are created.</summary>
    public const string ActorKind = "replica";

    /// <summary>The replica's id, <see cref="Serve.ReplicaId"/> as text; also its actor's id.</summary>
    public required string ReplicaId { get; init; }

    /// <summary>The merged settings.</summary>
    public required DeploymentSpec Spec { get; init; }

    /// <summary>The package's folder, absolute.</summary>
    public required string PackageDirectory { get; init; }

    /// <summary>The assembly within the folder; null when there is none and a class of the replica room's own serves what is there.</summary>
    public string? AssemblyFile { get; init; }

    /// <summary>The package's content hash: replicas of one hash in one process share its loaded assemblies.</summary>
    public required string PackageHash { get; init; }

    /// <summary>The deployment class's full name.</summary>
    public required string TypeName { get; init; }

    /// <summary>Constructor arguments by parameter name.</summary>
    public JsonObject? Args { get; init; }

    /// <summary>0 to <see cref="WorldSize"/> - 1.</summary>
    public int Rank { get; init; }

    /// <summary>How many replicas the deployment is meant to have.</summary>
    public int WorldSize { get; init; } = 1;

    /// <summary>Whether it has a process of its own, and so divides the machine's CPUs with the other replicas.</summary>
    public IsolationMode Isolation { get; init; }

    /// <summary>Where this replica's log files go: a folder of its own.</summary>
    public required string LogDirectory { get; init; }

    /// <summary>Names of the application's deployments by class full name, so that a <c>DeploymentHandle&lt;T&gt;</c> parameter finds its target.</summary>
    public ImmutableSortedDictionary<string, string> DeploymentsByType { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}
