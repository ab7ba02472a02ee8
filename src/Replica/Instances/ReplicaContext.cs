using Serve.Calls;
using Serve.Replicas;

namespace Serve.Replica.Instances;

/// <summary>Identity of a replica. <see cref="ReplicaInstance"/> updates its place.</summary>
internal sealed class ReplicaContext(ReplicaId replicaId, ReplicaStartRequest start, IReadOnlyList<int> gpuIds) : IReplicaContext
{
    // One reference, so that all ranks are updated atomically.
    private volatile ReplicaPlace _place = start.Place;

    public ReplicaId ReplicaId => replicaId;

    public DeploymentId DeploymentId => replicaId.Deployment;

    public int Rank => _place.Rank;

    public int WorldSize => _place.WorldSize;

    public int NodeRank => _place.NodeRank;

    public int LocalRank => _place.LocalRank;

    public GangContext? Gang { get; } = start.Gang is { } gang ? new(gang.Id, gang.Rank, gang.Members.Length, gang.Members) : null;

    public IReadOnlyList<int> GpuIds => gpuIds;

    public string? RequestId => RequestContext.Current?.Call.RequestId;

    public string? MultiplexedModelId => RequestContext.Current?.Call.MultiplexedModelId;

    public ReplicaPlace Place { set => _place = value; }
}
