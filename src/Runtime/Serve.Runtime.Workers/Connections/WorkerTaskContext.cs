using Serve.Runtime.Methods;
using Serve.Runtime.Tasks;
using Serve.Runtime.Turns;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Context of a task or call in a worker. Reports waits to the driver, so that the CPU is released and the worker's next task may start.</summary>
internal sealed class WorkerTaskContext(DriverConnection session, TaskInvocation run) : TaskContext, IAsyncCodeOwner
{
    private Task? _asyncCode;

    public override Cluster Cluster => session.Cluster;

    public override ObjectId TaskId { get; } = run.Id;

    protected override Task? AsyncCode => Volatile.Read(ref _asyncCode);

    protected override MailboxTurnScheduler? Turns => run.Turns;

    /// <summary>Records the async method after it has returned without completing, and reports a wait of its that has begun before.</summary>
    public void SetAsyncCode(Task code)
    {
        Interlocked.Exchange(ref _asyncCode, code);
        if (CodeWait is { Number: not 0 } wait)
            session.Send(new() { WaitStuck = wait.Number });
    }

    protected override void OnWaitStarted(ObjectRefWait wait)
    {
        // Not the driver's: an object of another cluster, or code that a finished task has left behind.
        if ((wait.References.Count > 0 && wait.References[0].Cluster != Cluster) || session.FindRun(TaskId) != run)
            return;
        wait.Number = session.NextNumber();
        var waits = new Waits
        {
            Number = wait.Number, Task = TaskId.Number, UntilFault = wait.UntilFault, HoldsThread = wait.Flow == ObjectRefWait.Thread, HoldsTurn = wait.Flow == ObjectRefWait.Turn, HoldsCode = IsBlockedBy(wait),
        };
        if ((waits.HoldsThread || waits.HoldsTurn) && Turns is { } turns)
            waits.Begun.AddRange(session.Begun(turns));
        waits.Ids.AddRange(wait.References.Where(reference => !reference.IsReady).Select(reference => reference.Id.Number));
        waits.Count = wait.Count - (wait.References.Count - waits.Ids.Count);
        session.Send(new() { Waits = waits });
        run.BeginWait();

        // SetAsyncCode may have run before the wait was reported.
        if (!waits.HoldsCode && IsBlockedBy(wait))
            session.Send(new() { WaitStuck = wait.Number });
    }

    protected override void OnWaitEnded(ObjectRefWait wait)
    {
        if (wait.Number == 0)
            return;
        run.EndWait();
        session.Send(new() { WaitEnd = new() { Number = wait.Number, Task = TaskId.Number } });
    }
}
