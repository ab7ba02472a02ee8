namespace Serve.Runtime;

/// <summary>What it takes to create an actor, in this process or in a worker.</summary>
public sealed record ActorSpec
{
    /// <summary>The actor's id.</summary>
    public required ActorId Id { get; init; }

    /// <summary>Which <see cref="IActorActivator"/> makes it.</summary>
    public required string Kind { get; init; }

    /// <summary>What the activator needs to know; opaque to the runtime.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>What it reserves in the node's ledger from before it is created until it is gone.</summary>
    public ResourceDemand Resources { get; init; } = ResourceDemand.None;

    /// <summary>The process it lives in.</summary>
    public WorkerPlacement Placement { get; init; } = WorkerPlacement.InProcess;

    /// <summary>How its calls may overlap.</summary>
    public ConcurrencyMode Concurrency { get; init; } = ConcurrencyMode.TurnBased;

    /// <summary>How many calls and HTTP requests it takes at once; it refuses more.</summary>
    public int MaxOngoing { get; init; } = int.MaxValue;

    /// <summary>What the activator needs beside the payload, when the actor lives in the process that asks for it.</summary>
    internal object? Local { get; init; }

    /// <summary>The turns it is to have; null for new ones.</summary>
    internal ActorTurnScheduler? Turns { get; init; }
}
