namespace Serve.Runtime.Tasks;

/// <summary>A task's code that waits for refs, all of them. A link in the list of its context, which writes it.</summary>
internal sealed class RefWait(TaskContext context, IReadOnlyList<ObjectRef> references, object? flow)
{
    /// <summary>The flow of code that blocks its thread.</summary>
    public static readonly object Thread = new();

    public IReadOnlyList<ObjectRef> References => references;

    /// <summary>What goes on when they are ready; null when the code may go on without.</summary>
    public object? Flow => flow;

    public RefWait? Next { get; set; }

    /// <summary>The wait is over, for whatever reason; completes when the code has its CPU back.</summary>
    public Task EndAsync()
    {
        var grant = new Grant();
        End(grant);
        return grant.Task;
    }

    /// <summary>The wait is over, for whatever reason.</summary>
    /// <param name="waiter">Resumed when the code has its CPU back.</param>
    public void End(IResumable waiter) => context.End(this, waiter);
}
