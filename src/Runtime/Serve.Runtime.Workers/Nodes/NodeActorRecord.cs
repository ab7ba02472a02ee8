using Serve.Runtime.Nodes;

namespace Serve.Runtime.Workers.Nodes;

/// <summary>What the node knows of one actor. Written by <see cref="NodeActorRegister"/> under its lock.</summary>
internal sealed class NodeActorRecord(ActorSpec spec)
{
    public ActorSpec Spec => spec;

    public NodeActorPhase Phase { get; set; } = NodeActorPhase.Creating;

    public IActorHostProcess? Home { get; set; }

    public ResourceAllocation? Allocation { get; set; }

    /// <summary>Whether someone asked it to stop before it was there.</summary>
    public bool IsGivenUp { get; set; }

    /// <summary>Tells the creator so.</summary>
    public CancellationTokenSource Creation { get; } = new();

    /// <summary>Completes when nothing of the actor is left.</summary>
    public TaskCompletionSource Gone { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
