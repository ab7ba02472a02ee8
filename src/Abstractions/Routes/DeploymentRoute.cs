using System.Collections.Immutable;

namespace Serve.Routes;

/// <summary>One deployment's replicas and the limits routers keep.</summary>
public sealed record DeploymentRoute
{
    /// <summary>The deployment's application.</summary>
    public required string Application { get; init; }

    /// <summary>The deployment's name.</summary>
    public required string Deployment { get; init; }

    /// <summary>How many requests one replica serves at once.</summary>
    public required int MaxOngoingRequests { get; init; }

    /// <summary>How many requests one router queues; -1 is no limit.</summary>
    public required int MaxQueuedRequests { get; init; }

    /// <summary>Why no replica is coming (deployment failed, scaled to zero); null while one is or may be. With no replicas and a reason, requests fail at once instead of queueing.</summary>
    public string? Unavailable { get; init; }

    /// <summary>The replicas that may be sent requests.</summary>
    public ImmutableArray<ReplicaRoute> Replicas { get; init; } = [];

    /// <summary>The deployment's id.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public DeploymentId Id => new(Application, Deployment);
}
