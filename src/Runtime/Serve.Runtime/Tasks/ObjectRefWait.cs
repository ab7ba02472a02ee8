namespace Serve.Runtime.Tasks;

/// <summary>Wait of task code for objects: an entry in the list of its context, which writes it.</summary>
/// <param name="context">Context of the code.</param>
/// <param name="references">Awaited objects.</param>
/// <param name="count">Number of objects that must be ready.</param>
/// <param name="flow">See <see cref="Flow"/>.</param>
public sealed class ObjectRefWait(TaskContext context, IReadOnlyList<ObjectRef> references, int count, object? flow)
{
    /// <summary>Flow of code that blocks the thread on which its task started.</summary>
    public static readonly object Thread = new();

    /// <summary>Flow of actor code that blocks a turn; its call may finish independently.</summary>
    public static readonly object Turn = new();

    /// <summary>Flow of code in a worker whose own async method awaits the object.</summary>
    public static readonly object Code = new();

    public IReadOnlyList<ObjectRef> References => references;

    public int Count => count;

    /// <summary>Whether one failed object ends the wait.</summary>
    public bool UntilFault { get; init; }

    /// <summary>The code that the wait blocks: one of the values above, or the <see cref="Task"/> that continues afterwards; null if the wait may end otherwise, for example by a timeout.</summary>
    public object? Flow { get; set; } = flow;

    /// <summary>Numbers of the calls that had begun when a turn was blocked in a worker, and which therefore need no turn.</summary>
    public IReadOnlyCollection<long> Begun { get; init; } = [];

    /// <summary>Number by which a worker has reported the wait to the driver; 0 if it has not.</summary>
    public long Number { get; set; }

    public ObjectRefWait? Next { get; set; }

    /// <summary>Ends the wait.</summary>
    /// <returns>Task that completes when the code has reacquired its CPU.</returns>
    public Task EndAsync()
    {
        var reacquisition = new CpuReacquisition();
        End(reacquisition);
        return reacquisition.Task;
    }

    /// <summary>Ends the wait.</summary>
    /// <param name="waiter">Resumed when the code has reacquired its CPU.</param>
    public void End(IResumable waiter) => context.End(this, waiter);
}
