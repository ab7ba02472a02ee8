using System.Threading.Tasks.Sources;

namespace Serve.Runtime.Tasks;

/// <summary>Continuation of code that awaits one object; runs in the synchronization context or scheduler that the code captured.</summary>
internal sealed class ObjectRefAwaiter : ObjectRefContinuation, IResumable, IThreadPoolWorkItem
{
    private readonly Action<object?> _continuation;
    private readonly object? _state;
    private readonly ExecutionContext? _flow;
    private readonly object? _scheduler;
    private ObjectRefWait? _wait;

    public ObjectRefAwaiter(Action<object?> continuation, object? state, ValueTaskSourceOnCompletedFlags flags)
    {
        _continuation = continuation;
        _state = state;
        if ((flags & ValueTaskSourceOnCompletedFlags.FlowExecutionContext) != 0)
            _flow = ExecutionContext.Capture();
        if ((flags & ValueTaskSourceOnCompletedFlags.UseSchedulingContext) == 0)
            return;
        if (SynchronizationContext.Current is { } context && context.GetType() != typeof(SynchronizationContext))
            _scheduler = context;
        else if (TaskScheduler.Current != TaskScheduler.Default)
            _scheduler = TaskScheduler.Current;
    }

    /// <summary>Starts a wait in the code of a task.</summary>
    /// <param name="reference">Awaited object.</param>
    /// <param name="context">Context of the task.</param>
    public void Start(ObjectRef reference, TaskContext context)
    {
        _wait = context.BeginWait([reference], 1, _state);
        Start(reference);
    }

    /// <summary>Starts a wait outside of tasks.</summary>
    /// <param name="reference">Awaited object.</param>
    public void Start(ObjectRef reference)
    {
        if (!reference.TryAddContinuation(this))
            Run();
    }

    public void Resume()
    {
        switch (_scheduler)
        {
            case TaskSynchronizationContext core:
                core.Threads.RunNow(this);
                break;
            case SynchronizationContext context:
                context.Post(static self => ((ObjectRefAwaiter)self!).Execute(), this);
                break;
            case TaskScheduler tasks:
                _ = Task.Factory.StartNew(static self => ((ObjectRefAwaiter)self!).Execute(), this, CancellationToken.None, TaskCreationOptions.DenyChildAttach, tasks);
                break;
            default:
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                break;
        }
    }

    public void Execute()
    {
        if (_scheduler is TaskSynchronizationContext core)
            SynchronizationContext.SetSynchronizationContext(core);
        if (_flow is null)
            _continuation(_state);
        else
            ExecutionContext.Run(_flow, new ContextCallback(_continuation), _state);
    }

    public override void Run()
    {
        if (_wait is { } begun)
            begun.End(this);
        else
            Resume();
    }
}
