namespace Serve.Control;

/// <summary>One application as it is wanted, and the revision to fall back to: what a checkpoint stores.</summary>
public sealed record DesiredApplication
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>What was asked for last.</summary>
    public required ApplicationRevision Requested { get; init; }

    /// <summary>The newest revision that was completely up; null before the first was.</summary>
    public ApplicationRevision? LastGood { get; init; }

    /// <summary>Whether it is to be drained and forgotten.</summary>
    public bool IsDeleting { get; init; }

    /// <summary>When <see cref="Requested"/> was asked for.</summary>
    public DateTimeOffset DeployedAt { get; init; }
}
