using Serve.Calls;
using Serve.Replicas;

namespace Serve.Replica.Instances;

/// <summary>Identity of a replica. <see cref="ReplicaInstance"/> updates rank and world size.</summary>
internal sealed class ReplicaContext(ReplicaId replicaId, ReplicaStartRequest start, IReadOnlyList<int> gpuIds) : IReplicaContext
{
    // One reference, so that rank and world size are updated atomically.
    private volatile Place _place = new(start.Rank, start.WorldSize);

    public ReplicaId ReplicaId => replicaId;

    public DeploymentId DeploymentId => replicaId.Deployment;

    public int Rank => _place.Rank;

    public int WorldSize => _place.WorldSize;

    public IReadOnlyList<int> GpuIds => gpuIds;

    public string? RequestId => RequestContext.Current?.Call.RequestId;

    public string? MultiplexedModelId => RequestContext.Current?.Call.MultiplexedModelId;

    public void Move(int rank, int worldSize) => _place = new(rank, worldSize);

    private sealed record Place(int Rank, int WorldSize);
}
