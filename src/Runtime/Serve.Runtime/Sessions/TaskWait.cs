using Serve.Runtime.Wire;

namespace Serve.Runtime.Sessions;

/// <summary>A worker's task waits for objects: the head is told, so that its CPU is lent, and the next task here may start.</summary>
internal sealed class TaskWait : IDisposable
{
    private readonly WorkerSession session;
    private readonly ObjectId task;
    private readonly WorkerRun? run;
    private readonly long number;

    public TaskWait(WorkerSession session, ObjectId task, IReadOnlyList<ObjectRef> references)
    {
        this.session = session;
        this.task = task;
        run = session.FindRun(task);
        number = session.NextNumber();
        var waits = new Waits { Number = number, Task = task.Number };
        waits.Ids.AddRange(references.Where(reference => !reference.IsReady).Select(reference => reference.Id.Number));
        session.Send(new() { Waits = waits });
        run?.BeginWait();
    }

    public void Dispose()
    {
        run?.EndWait();
        session.Send(new() { WaitEnd = new() { Number = number, Task = task.Number } });
    }
}
