namespace Serve.Nodes;

/// <summary>Identifies an actor; never reused.</summary>
/// <param name="Value">The id as text.</param>
public readonly record struct ActorId(string Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value;
}

/// <summary>Describes an actor to create on a node.</summary>
public sealed record ActorSpec
{
    /// <summary>The actor's id.</summary>
    public required ActorId Id { get; init; }

    /// <summary>Which activator creates the instance.</summary>
    public required string Kind { get; init; }

    /// <summary>The activator's input; opaque to the runtime.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>Resources that the actor reserves on its node from before its creation until it has ended.</summary>
    public ResourceDemand Resources { get; init; } = ResourceDemand.None;

    /// <summary>The kind of process that hosts the actor.</summary>
    public WorkerPlacement Placement { get; init; } = WorkerPlacement.InProcess;

    /// <summary>How calls may overlap.</summary>
    public ConcurrencyMode Concurrency { get; init; } = ConcurrencyMode.TurnBased;

    /// <summary>Maximum number of concurrent calls and HTTP requests; more are refused.</summary>
    public int MaxOngoing { get; init; } = int.MaxValue;
}

/// <summary>An actor in the register of its node.</summary>
/// <param name="Spec">The description that it was created from.</param>
/// <param name="Address">The process that hosts it.</param>
/// <param name="Settings">The payload of the last <see cref="INodeAgent.ReconfigureActorAsync"/> that succeeded; empty if there was none.</param>
public sealed record HostedActorEntry(ActorSpec Spec, HostProcessAddress Address, ReadOnlyMemory<byte> Settings);

/// <summary>The kind of process that hosts an actor.</summary>
public abstract record WorkerPlacement
{
    private WorkerPlacement()
    {
    }

    /// <summary>The node's own process.</summary>
    public static WorkerPlacement InProcess { get; } = new InProcessPlacement();

    /// <summary>A worker shared by all actors with the same key; it starts with the first and exits after the last.</summary>
    /// <param name="Key">The key, for example an application's name.</param>
    public sealed record Shared(string Key) : WorkerPlacement;

    /// <summary>A worker for one actor.</summary>
    /// <param name="Label">Shown in process lists and logs.</param>
    public sealed record Own(string Label) : WorkerPlacement;

    private sealed record InProcessPlacement : WorkerPlacement;
}

/// <summary>An actor could not be created. Everything begun for it has been undone.</summary>
/// <param name="id">The actor.</param>
/// <param name="message">Human-readable: the exception of the constructor, or why the worker failed.</param>
/// <param name="details">The full text with the stack trace, if there is one.</param>
/// <param name="inner">The cause, if it was thrown in this process.</param>
public sealed class ActorCreationException(ActorId id, string message, string? details = null, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>The actor.</summary>
    public ActorId Id { get; } = id;

    /// <summary>The full text with the stack trace, if there is one.</summary>
    public string? Details { get; } = details;

    /// <summary>Whether the node failed to provide a process, so that the actor's constructor did not run.</summary>
    public bool IsNodeFailure { get; init; }
}

/// <summary>A worker process could not be started.</summary>
/// <param name="message">Human-readable reason.</param>
/// <param name="inner">The cause.</param>
public sealed class WorkerStartException(string message, Exception inner) : Exception(message, inner);
