namespace Serve;

/// <summary>Where an actor stands. Ray's names.</summary>
public enum ActorPhase
{
    /// <summary>It waits for its arguments, its resources or its constructor.</summary>
    PendingCreation,

    /// <summary>It takes calls.</summary>
    Alive,

    /// <summary>It died and is being made again; calls wait.</summary>
    Restarting,

    /// <summary>It is gone for good.</summary>
    Dead,
}
