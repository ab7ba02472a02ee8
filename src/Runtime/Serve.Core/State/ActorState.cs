namespace Serve;

/// <summary>What is known of one actor.</summary>
public sealed record ActorState
{
    /// <summary>Its id.</summary>
    public required string ActorId { get; init; }

    /// <summary>Its class.</summary>
    public required string ClassName { get; init; }

    /// <summary>Its name; null when it has none.</summary>
    public string? Name { get; init; }

    /// <summary>Where it stands.</summary>
    public required ActorPhase State { get; init; }

    /// <summary>Whether it lives until it is killed.</summary>
    public bool IsDetached { get; init; }

    /// <summary>The worker it lives on; null in this process.</summary>
    public string? WorkerId { get; init; }

    /// <summary>The process it lives in; null while it has none.</summary>
    public int? Pid { get; init; }

    /// <summary>How often it was made again.</summary>
    public int NumRestarts { get; init; }

    /// <summary>Calls that wait or run.</summary>
    public int PendingCalls { get; init; }

    /// <summary>Why it is dead.</summary>
    public string? DeathCause { get; init; }
}
