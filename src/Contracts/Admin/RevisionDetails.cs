using Serve.Specs;

namespace Serve.Admin;

/// <summary>The revisions of an application, as returned by <c>GET /api/v1/applications/{app}/revisions</c>.</summary>
public sealed record RevisionDetailsList
{
    /// <summary>The revisions, newest first.</summary>
    public required IReadOnlyList<RevisionDetails> Revisions { get; init; }
}

/// <summary>One revision of an application.</summary>
public sealed record RevisionDetails
{
    /// <summary>Its number, which grows with every deployment of the application.</summary>
    public required long Revision { get; init; }

    /// <summary>When it was deployed, in seconds since 1970, UTC.</summary>
    public required double DeployedTimeS { get; init; }

    /// <summary>Whether it is the one that was deployed last.</summary>
    public bool IsCurrent { get; init; }

    /// <summary>Whether it is the newest one of which all deployments were running.</summary>
    public bool IsLastGood { get; init; }

    /// <summary>Whether it runs as a canary next to the current one.</summary>
    public bool IsCanary { get; init; }

    /// <summary>Why it was ended, if it was only ever a canary; null otherwise.</summary>
    public string? CanaryEnd { get; init; }

    /// <summary>The author's note; null if there is none.</summary>
    public string? Note { get; init; }

    /// <summary>Content hash of its code.</summary>
    public required string CodeHash { get; init; }

    /// <summary>Its configuration with merged settings.</summary>
    public required ApplicationConfig Config { get; init; }
}

/// <summary>Body of <c>POST /api/v1/applications/{app}/rollback</c>. Without a revision, a canary is ended if there is one.</summary>
public sealed record RollbackRequest
{
    /// <summary>Number of the revision to deploy again; null for the last good one, or the previous one if the current one runs.</summary>
    public long? Revision { get; init; }
}
