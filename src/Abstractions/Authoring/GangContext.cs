namespace Serve;

/// <summary>The gang of a replica: the replicas that are placed and restarted together.</summary>
/// <param name="GangId">Id of the gang, unique within the deployment; a restarted gang has a new one.</param>
/// <param name="Rank">Rank within the gang, 0 to <paramref name="WorldSize"/> - 1. Does not change.</param>
/// <param name="WorldSize">Number of replicas of the gang.</param>
/// <param name="MemberReplicaIds">Ids of its replicas, in the order of the ranks.</param>
public sealed record GangContext(string GangId, int Rank, int WorldSize, IReadOnlyList<string> MemberReplicaIds);
