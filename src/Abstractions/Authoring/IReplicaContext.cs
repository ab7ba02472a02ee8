namespace Serve;

/// <summary>Information about the replica and the request that it serves. A constructor parameter.</summary>
public interface IReplicaContext
{
    /// <summary>Gets the replica's id.</summary>
    ReplicaId ReplicaId { get; }

    /// <summary>Gets the deployment's id.</summary>
    DeploymentId DeploymentId { get; }

    /// <summary>Gets the replica's rank, 0 to <see cref="WorldSize"/> - 1. Ranks are contiguous and do not change when other replicas restart.</summary>
    int Rank { get; }

    /// <summary>Gets the target number of replicas of the deployment.</summary>
    int WorldSize { get; }

    /// <summary>Gets the rank of the replica's node among the nodes that host replicas of the deployment; contiguous from 0.</summary>
    int NodeRank { get; }

    /// <summary>Gets the replica's rank among the deployment's replicas on its node; contiguous from 0.</summary>
    int LocalRank { get; }

    /// <summary>Gets the replica's gang; null without <c>gang_scheduling_config</c>.</summary>
    GangContext? Gang { get; }

    /// <summary>Gets the ids of the assigned GPUs; empty without <c>num_gpus</c>.</summary>
    IReadOnlyList<int> GpuIds { get; }

    /// <summary>Gets the <c>X-Request-ID</c> of the request being served; null outside a request.</summary>
    string? RequestId { get; }

    /// <summary>Gets the multiplexed model that the request names; null for none.</summary>
    string? MultiplexedModelId { get; }
}
