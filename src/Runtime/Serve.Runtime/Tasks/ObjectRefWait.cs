namespace Serve.Runtime.Tasks;

/// <summary>A task's code that waits for refs. A link in the list of its context, which writes it.</summary>
/// <param name="context">Whose code.</param>
/// <param name="references">The refs.</param>
/// <param name="count">How many of them have to be ready.</param>
/// <param name="flow">See <see cref="Flow"/>.</param>
internal sealed class ObjectRefWait(TaskContext context, IReadOnlyList<ObjectRef> references, int count, object? flow)
{
    /// <summary>The flow of a task's code that blocks the thread on which the task was begun.</summary>
    public static readonly object Thread = new();

    /// <summary>The flow of an actor's code that blocks a turn, though its call may end meanwhile.</summary>
    public static readonly object Turn = new();

    /// <summary>The flow of code that is known not to go on before the wait is over, though it blocks no thread.</summary>
    public static readonly object Code = new();

    public IReadOnlyList<ObjectRef> References => references;

    public int Count => count;

    /// <summary>Whether it ends when one of them fails.</summary>
    public bool UntilFault { get; init; }

    /// <summary>What goes on when they are ready: one of the marks above, or the <see cref="Task"/> that completes then; null when the wait may end otherwise too.</summary>
    public object? Flow { get; set; } = flow;

    /// <summary>Where it blocks a turn in a worker: the calls that had begun by then and need no turn, by number.</summary>
    public IReadOnlyCollection<long> Begun { get; init; } = [];

    /// <summary>The placement group that it waits for, in a worker; null for refs.</summary>
    public string? Group { get; init; }

    /// <summary>Whether its code cannot end before it does.</summary>
    public bool IsStuck => context.IsStuckBy(this);

    /// <summary>What its process has told the head of it by; 0 when it has not.</summary>
    public long Number { get; set; }

    public ObjectRefWait? Next { get; set; }

    /// <summary>The wait is over, for whatever reason; completes when the code has its CPU back.</summary>
    public Task EndAsync()
    {
        var grant = new CpuReacquisition();
        End(grant);
        return grant.Task;
    }

    /// <summary>The wait is over, for whatever reason.</summary>
    /// <param name="waiter">Resumed when the code has its CPU back.</param>
    public void End(IResumable waiter) => context.End(this, waiter);
}
