using System.Threading.Tasks.Sources;

namespace Serve.Runtime.Tasks;

/// <summary>Code that awaits one ref: hangs on the ref, and runs where the code asked to.</summary>
internal sealed class RefAwaiter : RefContinuation, IResumable, IThreadPoolWorkItem
{
    private readonly Action<object?> continuation;
    private readonly object? state;
    private readonly ExecutionContext? flow;
    private readonly object? scheduler;
    private RefWait? wait;

    public RefAwaiter(Action<object?> continuation, object? state, ValueTaskSourceOnCompletedFlags flags)
    {
        this.continuation = continuation;
        this.state = state;
        if ((flags & ValueTaskSourceOnCompletedFlags.FlowExecutionContext) != 0)
            flow = ExecutionContext.Capture();
        if ((flags & ValueTaskSourceOnCompletedFlags.UseSchedulingContext) == 0)
            return;
        if (SynchronizationContext.Current is { } context && context.GetType() != typeof(SynchronizationContext))
            scheduler = context;
        else if (TaskScheduler.Current != TaskScheduler.Default)
            scheduler = TaskScheduler.Current;
    }

    /// <summary>Starts to wait in the code of a task.</summary>
    /// <param name="reference">For what.</param>
    /// <param name="context">The task whose code it is.</param>
    public void Start(ObjectRef reference, TaskContext context)
    {
        wait = context.BeginWait([reference], 1, state);
        Start(reference);
    }

    /// <summary>Starts to wait.</summary>
    /// <param name="reference">For what.</param>
    public void Start(ObjectRef reference)
    {
        if (!reference.TryOnReady(this))
            Run();
    }

    public void Resume()
    {
        switch (scheduler)
        {
            case CoreContext core:
                core.Threads.Start(this);
                break;
            case SynchronizationContext context:
                context.Post(static self => ((RefAwaiter)self!).Execute(), this);
                break;
            case TaskScheduler tasks:
                _ = Task.Factory.StartNew(static self => ((RefAwaiter)self!).Execute(), this, CancellationToken.None, TaskCreationOptions.DenyChildAttach, tasks);
                break;
            default:
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                break;
        }
    }

    public void Execute()
    {
        if (scheduler is CoreContext core)
            SynchronizationContext.SetSynchronizationContext(core);
        if (flow is null)
            continuation(state);
        else
            ExecutionContext.Run(flow, new ContextCallback(continuation), state);
    }

    internal override void Run()
    {
        if (wait is { } begun)
            begun.End(this);
        else
            Resume();
    }
}
