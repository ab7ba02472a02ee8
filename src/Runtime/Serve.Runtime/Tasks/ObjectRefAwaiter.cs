using System.Threading.Tasks.Sources;

namespace Serve.Runtime.Tasks;

/// <summary>Code that awaits one ref: hangs on the ref, and runs where the code asked to.</summary>
internal sealed class ObjectRefAwaiter : ObjectRefContinuation, IResumable, IThreadPoolWorkItem
{
    private readonly Action<object?> _continuation;
    private readonly object? _state;
    private readonly ExecutionContext? _flow;
    private readonly object? _scheduler;
    private ObjectRefWait? _wait;

    public ObjectRefAwaiter(Action<object?> continuation, object? state, ValueTaskSourceOnCompletedFlags flags)
    {
        this._continuation = continuation;
        this._state = state;
        if ((flags & ValueTaskSourceOnCompletedFlags.FlowExecutionContext) != 0)
            _flow = ExecutionContext.Capture();
        if ((flags & ValueTaskSourceOnCompletedFlags.UseSchedulingContext) == 0)
            return;
        if (SynchronizationContext.Current is { } context && context.GetType() != typeof(SynchronizationContext))
            _scheduler = context;
        else if (TaskScheduler.Current != TaskScheduler.Default)
            _scheduler = TaskScheduler.Current;
    }

    /// <summary>Starts to wait in the code of a task.</summary>
    /// <param name="reference">For what.</param>
    /// <param name="context">The task whose code it is.</param>
    public void Start(ObjectRef reference, TaskContext context)
    {
        _wait = context.BeginWait([reference], 1, _state);
        Start(reference);
    }

    /// <summary>Starts to wait.</summary>
    /// <param name="reference">For what.</param>
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
