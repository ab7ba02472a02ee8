using Serve.Runtime.Tasks;
using Serve.Runtime.Turns;

namespace Serve.Runtime.CoreActors;

/// <summary>
/// An attempt of an actor's call, to the code that runs for it. What an actor submits is of one caller, whichever of its calls does it. Code that
/// the attempt leaves behind may keep it, but not the call.
/// </summary>
internal sealed class CallTaskContext(IActorCall call) : TaskContext
{
    private readonly CoreActor actor = call.Actor;
    private readonly ObjectId id = call.Reference.Id;
    private readonly MailboxTurns turns = call.Plan.Turns;
    private IActorCall? call = call;
    private Task? flow;

    public CoreActor Actor => actor;

    public override Cluster Cluster => actor.Cluster;

    public override ObjectId TaskId => id;

    /// <summary>The call; null when the attempt is over.</summary>
    public IActorCall? Call => Volatile.Read(ref call);

    public override SchedulingStrategy? InheritedScheduling =>
        actor.Settings.Scheduling is SchedulingStrategy.InGroup { CaptureChildTasks: true } group ? group : null;

    protected override Task? Flow => Volatile.Read(ref flow);

    protected override MailboxTurns? Turns => turns;

    /// <summary>Its async method has returned before its end.</summary>
    public void GoesOn(Task whole) => Volatile.Write(ref flow, whole);

    /// <summary>The attempt is over; code that it leaves behind may wait still.</summary>
    public void Ended()
    {
        Volatile.Write(ref call, null);
        Volatile.Write(ref flow, null);
        if (IsWaiting)
            actor.Waits.Remove(this);
    }

    protected override void Lend()
    {
        if (Call is not null)
            actor.Waits.Add(this);
    }

    protected override void OnBegun(RefWait wait) => actor.Tasks.Deadlocks.Arm();

    protected override void TakeBack(IResumable waiter)
    {
        actor.Waits.Remove(this);
        waiter.Resume();
    }
}
