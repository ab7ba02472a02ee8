using System.Collections.Immutable;

namespace Serve.Replicas;

/// <summary>The gang that a replica was started in. Does not change.</summary>
/// <param name="Id">Id of the gang.</param>
/// <param name="Rank">The replica's rank within it.</param>
/// <param name="Members">Ids of its replicas as text, in the order of the ranks.</param>
public sealed record ReplicaGang(string Id, int Rank, ImmutableArray<string> Members);
