using Serve.Runtime.Tasks;
using Serve.Runtime.Turns;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Context of a task or call that runs in a worker. Its waits are reported to the driver, so that its CPU is released and the worker's next task may start.</summary>
internal sealed class WorkerTaskContext(DriverConnection session, TaskInvocation run) : TaskContext
{
    private Task? _flow;

    public override Cluster Cluster => session.Cluster;

    public override ObjectId TaskId { get; } = run.Id;

    protected override Task? Flow => Volatile.Read(ref _flow);

    protected override MailboxTurnScheduler? Turns => run.Turns;

    /// <summary>Records that its code continues asynchronously.</summary>
    public void ContinueAsync(Task whole) => Volatile.Write(ref _flow, whole);

    protected override void OnWaitStarted(ObjectRefWait wait)
    {
        // Not reported: references of other clusters, and code that a finished task left behind.
        if ((wait.References.Count > 0 && wait.References[0].Cluster != Cluster) || session.FindRun(TaskId) != run)
            return;
        wait.Number = session.NextNumber();
        var waits = new Waits
        {
            Number = wait.Number, Task = TaskId.Number, UntilFault = wait.UntilFault, Group = wait.Group ?? "", HoldsThread = wait.Flow == ObjectRefWait.Thread, HoldsTurn = wait.Flow == ObjectRefWait.Turn,
        };
        if ((waits.HoldsThread || waits.HoldsTurn) && Turns is { } turns)
            waits.Begun.AddRange(session.Begun(turns));
        waits.Ids.AddRange(wait.References.Where(reference => !reference.IsReady).Select(reference => reference.Id.Number));
        waits.Count = wait.Count - (wait.References.Count - waits.Ids.Count);
        session.Send(new() { Waits = waits });
        run.BeginWait();
        if (wait.Flow is Task)
            session.UndecidedWaits.Add(wait);
    }

    protected override void OnWaitEnded(ObjectRefWait wait)
    {
        if (wait.Number == 0)
            return;
        session.UndecidedWaits.Remove(wait);
        run.EndWait();
        session.Send(new() { WaitEnd = new() { Number = wait.Number, Task = TaskId.Number } });
    }
}
