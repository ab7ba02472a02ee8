using Serve.Routes;

namespace Serve.Control;

/// <summary>What was published last, and what is known to be in force.</summary>
public sealed record RoutePublicationState
{
    /// <summary>The newest snapshot handed out.</summary>
    public RouteSnapshot Newest { get; init; } = RouteSnapshot.Empty;

    /// <summary>The highest version that every process has in force.</summary>
    public SnapshotVersion Acknowledged { get; init; }

    /// <summary>When to publish again because the newest was not acknowledged by all; null when there is no need.</summary>
    public DateTimeOffset? RetryAt { get; init; }
}
