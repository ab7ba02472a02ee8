namespace Serve.Runtime.Actors;

/// <summary>Identity and policies of an actor, and how its incarnations are started. Immutable.</summary>
public sealed record ActorDefinition
{
    public required ActorId Id { get; init; }

    /// <summary>Name of its class, or its kind.</summary>
    public required string ClassName { get; init; }

    /// <summary>Name by which it is found; null for none.</summary>
    public string? Name { get; init; }

    public required RestartPolicy Restart { get; init; }

    public required AdmissionPolicy Admission { get; init; }

    public required ActorOwner Owner { get; init; }

    /// <summary>Resources that the actor holds from before its first incarnation until its end.</summary>
    public required ResourceDemand Demand { get; init; }

    public required IActorLauncher Launcher { get; init; }

    public override string ToString() => Name is null ? $"{ClassName} ({Id})" : $"{ClassName} '{Name}' ({Id})";
}

/// <summary>Provides what an incarnation needs besides resources, and starts it.</summary>
public interface IActorLauncher
{
    /// <summary>Returns the ledgers that may grant the actor's resources, best first.</summary>
    /// <exception cref="InsufficientResourcesException">None can ever.</exception>
    ResourceLedger[] FindLedgers();

    /// <summary>Waits for the inputs of the actor's constructor, before resources are reserved.</summary>
    Task PrepareAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Starts an incarnation: finds a process and runs the constructor. Undoes everything if that fails.</summary>
    /// <exception cref="ActorCreationException">The constructor threw, or no worker could be started.</exception>
    Task<ActorIncarnation> StartAsync(ActorRecord actor, ActorResourceHold resources, CancellationToken cancellationToken);

    /// <summary>Reports that the actor was lost with its process; its resources have been released.</summary>
    void OnLost(ActorRecord actor, string reason)
    {
    }
}

/// <summary>Resources held by an actor, and the ledger that granted them.</summary>
public sealed record ActorResourceHold(ResourceLedger Ledger, ResourceAllocation Allocation);
