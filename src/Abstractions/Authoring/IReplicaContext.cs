namespace Serve;

/// <summary>What a replica knows about itself and about the request it is serving. A constructor parameter.</summary>
public interface IReplicaContext
{
    /// <summary>This replica.</summary>
    ReplicaId ReplicaId { get; }

    /// <summary>The deployment it is an instance of.</summary>
    DeploymentId DeploymentId { get; }

    /// <summary>0 to <see cref="WorldSize"/> - 1, contiguous, kept when other replicas restart.</summary>
    int Rank { get; }

    /// <summary>How many replicas the deployment is meant to have.</summary>
    int WorldSize { get; }

    /// <summary>Ids of the devices the scheduler assigned, empty without <c>num_gpus</c>.</summary>
    IReadOnlyList<int> GpuIds { get; }

    /// <summary>The <c>X-Request-ID</c> of the request being served; null outside a request.</summary>
    string? RequestId { get; }

    /// <summary>The multiplexed model the request asks for; null when it asks for none.</summary>
    string? MultiplexedModelId { get; }
}
