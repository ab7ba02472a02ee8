namespace Serve.Runtime.Nodes;

/// <summary>What the node knows of one actor. Written by <see cref="ActorRegister"/> under its lock.</summary>
internal sealed class ActorRecord(ActorSpec spec)
{
    public ActorSpec Spec => spec;

    public RecordPhase Phase { get; set; } = RecordPhase.Creating;

    public IActorHome? Home { get; set; }

    public ResourceAllocation? Allocation { get; set; }

    /// <summary>Whether someone asked it to stop before it was there.</summary>
    public bool IsGivenUp { get; set; }

    /// <summary>Tells the creator so.</summary>
    public CancellationTokenSource Creation { get; } = new();

    /// <summary>Completes when nothing of the actor is left.</summary>
    public TaskCompletionSource Gone { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
