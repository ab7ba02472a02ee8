namespace Serve;

/// <summary>The state of one actor.</summary>
public sealed record ActorState
{
    /// <summary>The actor's id.</summary>
    public required string ActorId { get; init; }

    /// <summary>The actor's class.</summary>
    public required string ClassName { get; init; }

    /// <summary>The actor's name; null if it has none.</summary>
    public string? Name { get; init; }

    /// <summary>The actor's phase.</summary>
    public required ActorPhase State { get; init; }

    /// <summary>Whether the actor lives until it is killed.</summary>
    public bool IsDetached { get; init; }

    /// <summary>The worker that hosts the actor; null if it runs in this process.</summary>
    public string? WorkerId { get; init; }

    /// <summary>The id of the host process; null while there is none.</summary>
    public int? Pid { get; init; }

    /// <summary>The number of restarts.</summary>
    public int NumRestarts { get; init; }

    /// <summary>The number of pending and running calls.</summary>
    public int PendingCalls { get; init; }

    /// <summary>The cause of death; null while the actor is alive.</summary>
    public string? DeathCause { get; init; }
}

/// <summary>The phase of an actor, with Ray's names.</summary>
public enum ActorPhase
{
    /// <summary>The actor waits for its arguments, its resources or its constructor.</summary>
    PendingCreation,

    /// <summary>The actor accepts calls.</summary>
    Alive,

    /// <summary>The actor died and is being restarted; calls wait.</summary>
    Restarting,

    /// <summary>The actor is dead and will not be restarted.</summary>
    Dead,
}
