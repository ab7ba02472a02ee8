using System.Diagnostics;
using Serve.Calls;
using Serve.Runtime.Objects;
using Serve.Runtime.Parallel;

namespace Serve.Runtime.Tasks;

/// <summary>Task with its arguments and the reference that receives its result.</summary>
internal sealed class TaskExecution<TResult>(TaskExecutionPlan plan, ObjectRef<TResult> reference, ObjectId? parent, MethodCall<TResult> call) : TaskExecution(plan, reference, parent)
{
    private static readonly object NoTarget = new();
    private MethodCall<TResult>? _call = call;

    protected override bool HasRefs => _call!.HasRefs;

    public override object?[] GetArguments() => _call?.GetArguments() ?? [];

    public override void ReportResult(StoredObject result)
    {
        var here = Lease;
        if (result is SharedMemoryObject shared && _call is { } made)
        {
            shared.CreatedBy = Name;
            shared.Lineage = new TaskResultLineage<TResult>(Plan, made, Parent);
        }

        var wasWaiting = Finish(Stopwatch.GetTimestamp(), null);
        reference.TrySetStored(result);
        reference.Producer = null;
        here.OnTaskEnded(this, wasWaiting);
    }

    protected override void CollectRefs(ICollection<ObjectRef> references) => _call?.CollectRefs(references);

    protected override bool Invoke()
    {
        try
        {
            if (Function.IsAsync)
                EnterAsync();
            var watched = Dispatcher.Check is { } check && _call is not InProcessCodeCall<TResult> ? check.Begin(Name, GetArguments()) : null;
            if (!_call!.TryInvoke(NoTarget, Function.TakesToken ? StopToken : CancellationToken.None, out var called))
                throw NotCompiledIn();
            var pending = watched is null ? called : watched.CompleteAsync(called);
            if (!pending.IsCompleted)
            {
                GoOn(pending.AsTask());
                return false;
            }

            Succeed(pending.Result);
        }
        catch (Exception thrown)
        {
            Threw(thrown);
        }

        return true;
    }

    private void EnterAsync()
    {
        SetFlowing(this);
        SynchronizationContext.SetSynchronizationContext(Dispatcher.Context);
    }

    private void GoOn(Task<TResult> flow)
    {
        SetAsyncCode(flow);
        _ = flow.ContinueWith(
            static (ended, self) => ((TaskExecution<TResult>)self!).EndAsync((Task<TResult>)ended),
            this,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    protected override void ReleaseArguments() => _call = null;

    private void EndAsync(Task<TResult> ended)
    {
        var here = Lease;
        if (ended.IsCompletedSuccessfully)
        {
            Succeed(ended.Result);
        }
        else
        {
            Threw(ended.Exception?.InnerException ?? new TaskCanceledException(ended));
        }

        here.OnTaskEnded(this, wasWaiting: false);
    }

    private void Threw(Exception thrown) => Fail(thrown as ServeException ?? new UserCodeException(thrown), isSystem: false);

    private InvalidOperationException NotCompiledIn() => new($"{Function} cannot be invoked because it is not compiled into this program.");

    private void Succeed(TResult result)
    {
        var now = Stopwatch.GetTimestamp();
        Lease.LastEndTimestamp = now;
        Finish(now, null);
        reference.TrySetResult(result);
        reference.Producer = null;
    }
}
