namespace Serve.Routes;

/// <summary>One replica and the process that holds it.</summary>
/// <param name="ReplicaId">The replica's id as text; also its actor's id.</param>
/// <param name="Process">The process that holds it.</param>
public sealed record ReplicaRoute(string ReplicaId, HostProcessAddress Process);
