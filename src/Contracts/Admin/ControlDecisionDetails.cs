namespace Serve.Admin;

/// <summary>Decisions of the controller, as returned by <c>GET /api/v1/decisions</c>.</summary>
public sealed record ControlDecisionList
{
    /// <summary>The decisions, newest first.</summary>
    public IReadOnlyList<ControlDecisionDetails> Decisions { get; init; } = [];

    /// <summary>Sequence number of the newest decision of all; 0 if there is none.</summary>
    public long Newest { get; init; }

    /// <summary>Value of <c>before</c> that returns the next page; null if there is none.</summary>
    public long? NextBefore { get; init; }
}

/// <summary>One decision of the controller, with its reason.</summary>
public sealed record ControlDecisionDetails
{
    /// <summary>Counts the decisions since the start of the controller, from 1.</summary>
    public required long Sequence { get; init; }

    /// <summary>Time of the decision in seconds since 1970, UTC.</summary>
    public required double TimeS { get; init; }

    /// <summary>Generation of the action; 0 for a decision that is not an action of a plan.</summary>
    public long Generation { get; init; }

    /// <summary>Kind of the decision, for example <c>start_replica</c>, <c>stop_replica</c> or <c>scale</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>The application; null if it concerns several.</summary>
    public string? Application { get; init; }

    /// <summary>The deployment; null if it concerns the whole application.</summary>
    public string? Deployment { get; init; }

    /// <summary>The replica's id; null if it concerns no single one.</summary>
    public string? Replica { get; init; }

    /// <summary>Human-readable reason.</summary>
    public required string Reason { get; init; }

    /// <summary>Human-readable details, for example the node or the numbers of replicas.</summary>
    public string? Detail { get; init; }
}
