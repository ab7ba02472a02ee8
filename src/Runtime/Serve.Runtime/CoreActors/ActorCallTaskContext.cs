using Serve.Runtime.Tasks;
using Serve.Runtime.Turns;

namespace Serve.Runtime.CoreActors;

/// <summary>
/// An attempt of an actor's call, to the code that runs for it. What an actor submits is of one caller, whichever of its calls does it. Code that
/// the attempt leaves behind may keep it, but not the call.
/// </summary>
internal sealed class ActorCallTaskContext(IPendingActorCall call) : TaskContext
{
    private readonly ActorRecord _actor = call.Actor;
    private readonly ObjectId _id = call.Reference.Id;
    private readonly MailboxTurnScheduler _turns = call.Plan.Turns;
    private IPendingActorCall? _call = call;
    private Task? _asyncCode;

    public ActorRecord Actor => _actor;

    public override Cluster Cluster => _actor.Cluster;

    public override ObjectId TaskId => _id;

    /// <summary>The call; null when the attempt is over.</summary>
    public IPendingActorCall? Call => Volatile.Read(ref _call);

    public override SchedulingStrategy? InheritedScheduling =>
        _actor.Settings.Scheduling is SchedulingStrategy.InGroup { CaptureChildTasks: true } group ? group : null;

    protected override Task? AsyncCode => Volatile.Read(ref _asyncCode);

    protected override MailboxTurnScheduler? Turns => _turns;

    /// <summary>Records the async method of the call after it has returned without completing.</summary>
    public void SetAsyncCode(Task code) => Volatile.Write(ref _asyncCode, code);

    /// <summary>The attempt is over; code that it leaves behind may wait still.</summary>
    public void Ended()
    {
        Volatile.Write(ref _call, null);
        Volatile.Write(ref _asyncCode, null);
        if (IsWaiting)
            _actor.Waits.Remove(this);
    }

    protected override void ReleaseCpu()
    {
        if (Call is not null)
            _actor.Waits.Add(this);
    }

    protected override void OnWaitStarted(ObjectRefWait wait) => _actor.Tasks.OnWaitStarted();

    protected override void ReacquireCpu(IResumable waiter)
    {
        _actor.Waits.Remove(this);
        waiter.Resume();
    }
}
