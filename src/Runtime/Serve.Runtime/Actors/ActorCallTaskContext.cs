using Serve.Runtime.Tasks;
using Serve.Runtime.Turns;

namespace Serve.Runtime.Actors;

/// <summary>
/// Context of the code of one attempt of an actor call. Code that continues after the end of the attempt may keep the context alive, but not the call.
/// </summary>
internal sealed class ActorCallTaskContext(IPendingActorCall call) : TaskContext
{
    private readonly ActorCallQueue _queue = call.Queue;
    private readonly ObjectId _id = call.Reference.Id;
    private readonly MailboxTurnScheduler _turns = call.Plan.Turns;
    private IPendingActorCall? _call = call;
    private Task? _asyncCode;

    public ActorCallQueue Queue => _queue;

    public override Cluster Cluster => _queue.Cluster;

    public override ObjectId TaskId => _id;

    /// <summary>The call; null after the end of the attempt.</summary>
    public IPendingActorCall? Call => Volatile.Read(ref _call);

    public override SchedulingStrategy? InheritedScheduling =>
        _queue.Options.Scheduling is SchedulingStrategy.InGroup { CaptureChildTasks: true } group ? group : null;

    protected override Task? AsyncCode => Volatile.Read(ref _asyncCode);

    protected override MailboxTurnScheduler? Turns => _turns;

    /// <summary>Records the async method of the call after it has returned without completing.</summary>
    public void SetAsyncCode(Task code) => Volatile.Write(ref _asyncCode, code);

    /// <summary>Ends the attempt; code that it has started may still wait.</summary>
    public void Ended()
    {
        Volatile.Write(ref _call, null);
        Volatile.Write(ref _asyncCode, null);
        if (IsWaiting)
            _queue.Waits.Remove(this);
    }

    protected override void ReleaseCpu()
    {
        if (Call is not null)
            _queue.Waits.Add(this);
    }

    protected override void OnWaitStarted(ObjectRefWait wait) => _queue.Tasks.OnWaitStarted();

    protected override void ReacquireCpu(IResumable waiter)
    {
        _queue.Waits.Remove(this);
        waiter.Resume();
    }
}
