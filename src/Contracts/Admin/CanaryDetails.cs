using Serve.Specs;

namespace Serve.Admin;

/// <summary>The second revision of an application, which receives a share of its requests or copies of them.</summary>
public sealed record CanaryDetails
{
    /// <summary>Number of its revision.</summary>
    public required long Revision { get; init; }

    /// <summary>Name of the application that holds its replicas, in metrics, logs and replica ids.</summary>
    public required string Application { get; init; }

    /// <summary>Its status.</summary>
    public ApplicationStatus Status { get; init; }

    /// <summary>Human-readable reason of the status; empty if there is none.</summary>
    public string Message { get; init; } = "";

    /// <summary>Whether it is replacing the stable revision.</summary>
    public bool IsPromoting { get; init; }

    /// <summary>Percent of the requests that it receives once it runs.</summary>
    public double Percent { get; init; }

    /// <summary>Number of the current step, from 1; null without steps.</summary>
    public int? Step { get; init; }

    /// <summary>When the step began, in seconds since 1970; null while the canary has not run yet.</summary>
    public double? StepStartTimeS { get; init; }

    /// <summary>Human-readable condition of the next decision; empty if an operator decides.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Its settings; null for copies only.</summary>
    public CanarySpec? Settings { get; init; }

    /// <summary>Settings of the copies of requests; null for none.</summary>
    public ShadowSpec? Shadow { get; init; }

    /// <summary>The newest changes of the share, newest first.</summary>
    public IReadOnlyList<CanaryDecisionDetails> Decisions { get; init; } = [];

    /// <summary>The requests to both revisions since the canary was deployed or the node was started.</summary>
    public IReadOnlyList<RevisionRequestDetails> Requests { get; init; } = [];

    /// <summary>Its deployments by name.</summary>
    public IReadOnlyDictionary<string, DeploymentDetails> Deployments { get; init; } = new Dictionary<string, DeploymentDetails>();
}

/// <summary>A change of a canary's share.</summary>
public sealed record CanaryDecisionDetails
{
    /// <summary>When it was decided, in seconds since 1970.</summary>
    public required double TimestampS { get; init; }

    /// <summary>The percent before.</summary>
    public required double PrevPercent { get; init; }

    /// <summary>The percent after.</summary>
    public required double CurrPercent { get; init; }

    /// <summary>Human-readable reason.</summary>
    public required string Reason { get; init; }
}

/// <summary>Requests to one of two revisions.</summary>
public sealed record RevisionRequestDetails
{
    /// <summary>Number of the revision.</summary>
    public required long Revision { get; init; }

    /// <summary><c>stable</c>, <c>canary</c>, or <c>shadow</c> for the copies.</summary>
    public required string Role { get; init; }

    /// <summary>Percent of the requests that the revision receives; for copies, percent of the stable revision's requests.</summary>
    public double Percent { get; init; }

    /// <summary>Number of completed requests.</summary>
    public long Requests { get; init; }

    /// <summary>The share of them that failed, 0 to 1.</summary>
    public double ErrorRate { get; init; }

    /// <summary>Median latency in milliseconds; null without requests.</summary>
    public double? P50Ms { get; init; }

    /// <summary>99th percentile of the latency in milliseconds; null without requests.</summary>
    public double? P99Ms { get; init; }
}

/// <summary>Body of <c>POST /api/v1/applications/{app}/canary</c>.</summary>
public sealed record ChangeCanaryRequest
{
    /// <summary>Percent of the requests that the canary is to receive, 0 to 100.</summary>
    public required double Percent { get; init; }
}
