using System.Collections.Immutable;

namespace Serve.Routes;

/// <summary>
/// The models of a replica with <see cref="MultiplexedAttribute"/>, so that routers send requests to replicas that have the model. A replica reports a change;
/// the reports of all replicas of a node are published together as a JSON object by <see cref="Serve.ReplicaId"/>.
/// </summary>
public sealed record ReplicaModelReport
{
    /// <summary>The topic under which reports are published.</summary>
    public const string Topic = "models";

    /// <summary>Grows with every report of the replica. A report is published again when that of another replica changes.</summary>
    public long Sequence { get; init; }

    /// <summary>Maximum number of models of the replica; -1 for no limit.</summary>
    public required int MaxModels { get; init; }

    /// <summary>Recent duration of a load in milliseconds; 0 while there was none.</summary>
    public double LoadMs { get; init; }

    /// <summary>The models that are loaded or being loaded.</summary>
    public ImmutableArray<ReportedModel> Models { get; init; } = [];
}

/// <summary>One model of a replica.</summary>
/// <param name="Id">The model's id.</param>
/// <param name="Loaded">Whether it is loaded; false while it is being loaded or waits for that.</param>
/// <param name="IdleMs">Milliseconds since its last use; 0 while it is in use.</param>
public sealed record ReportedModel(string Id, bool Loaded, long IdleMs);

/// <summary>Values that replicas' <c>ReportRoutingStats</c> have returned: a JSON object by <see cref="Serve.ReplicaId"/>, published per node.</summary>
public static class RoutingStatsReports
{
    /// <summary>The topic under which they are published.</summary>
    public const string Topic = "routing-stats";
}

/// <summary>
/// The deployments without replicas for which a process has queued requests: a JSON array of <c>app/deployment</c>, published per process.
/// </summary>
public static class DeploymentWakeUps
{
    /// <summary>The topic under which they are published.</summary>
    public const string Topic = "wake-ups";
}
