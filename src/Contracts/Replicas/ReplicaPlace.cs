namespace Serve.Replicas;

/// <summary>A replica's position among the replicas of its deployment. All ranks are contiguous from 0.</summary>
/// <param name="Rank">Rank among all replicas.</param>
/// <param name="WorldSize">The target number of replicas.</param>
/// <param name="NodeRank">Rank of its node among the nodes that host replicas of the deployment.</param>
/// <param name="LocalRank">Rank among the replicas on its node.</param>
public sealed record ReplicaPlace(int Rank, int WorldSize, int NodeRank = 0, int LocalRank = 0)
{
    /// <summary>The place of the only replica.</summary>
    public static ReplicaPlace Single { get; } = new(0, 1);
}
