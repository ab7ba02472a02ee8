using System.Diagnostics;
using Serve.Calls;
using Serve.Runtime.Objects;

namespace Serve.Runtime.Tasks;

/// <summary>A task with its arguments and the ref that its result goes into.</summary>
internal sealed class SubmittedTask<TResult>(TaskPlan plan, ObjectRef<TResult> reference, ObjectId? parent, MethodCall<TResult> call) : SubmittedTask(plan, reference, parent)
{
    private static readonly object NoTarget = new();
    private MethodCall<TResult>? call = call;

    protected override bool HasRefs => call!.HasRefs;

    public override object?[] GetArguments() => call?.GetArguments() ?? [];

    public override void Succeeded(StoredObject result)
    {
        var here = Slot;
        if (result is SharedObject shared && call is { } made)
        {
            shared.MadeBy = Name;
            shared.Lineage = new TaskLineage<TResult>(Plan, made, Parent);
        }

        var wasWaiting = End(Stopwatch.GetTimestamp(), null);
        reference.TrySetStored(result);
        reference.Producer = null;
        here.Ended(this, wasWaiting);
    }

    protected override void CollectRefs(ICollection<ObjectRef> references) => call?.CollectRefs(references);

    protected override bool Invoke()
    {
        try
        {
            if (Function.IsAsync)
                EnterAsync();
            if (!call!.TryInvoke(NoTarget, Function.TakesToken ? Stop : CancellationToken.None, out var pending))
                throw NotCompiledIn();
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
        GoesOn(flow);
        _ = flow.ContinueWith(
            static (ended, self) => ((SubmittedTask<TResult>)self!).EndAsync((Task<TResult>)ended),
            this,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    protected override void Forget() => call = null;

    private void EndAsync(Task<TResult> ended)
    {
        var here = Slot;
        if (ended.IsCompletedSuccessfully)
        {
            Succeed(ended.Result);
        }
        else
        {
            Threw(ended.Exception?.InnerException ?? new TaskCanceledException(ended));
        }

        here.Ended(this, wasWaiting: false);
    }

    private void Threw(Exception thrown) => Fail(thrown as ServeException ?? new UserCodeException(thrown), isSystem: false);

    private InvalidOperationException NotCompiledIn() => new($"{Function} cannot be invoked as it is not compiled into this program.");

    private void Succeed(TResult result)
    {
        var now = Stopwatch.GetTimestamp();
        Slot.Clock = now;
        End(now, null);
        reference.TrySetResult(result);
        reference.Producer = null;
    }
}
