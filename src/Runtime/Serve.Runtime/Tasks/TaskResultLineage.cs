using Serve.Calls;
using Serve.Runtime.Objects;

namespace Serve.Runtime.Tasks;

/// <summary>A task whose result lies outside of this process's heap, kept with its arguments as long as that: should the result be lost, it runs again. Counts how often it did.</summary>
internal sealed class TaskResultLineage<TResult>(TaskExecutionPlan plan, MethodCall<TResult> call, ObjectId? parent) : IObjectLineage
{
    private int _restarts;

    public ObjectRef? Restart() => plan.Dispatcher.IsDisposed || (plan.MaxRetries >= 0 && Interlocked.Increment(ref _restarts) > plan.MaxRetries)
        ? null
        : plan.Dispatcher.Resubmit(plan, call, parent);

    // Its value is not wanted here, only that it is there.
    public void Wait(ObjectRef again)
    {
        try
        {
            ((ObjectRef<TResult>)again).GetResult();
        }
        catch (Exception) when (again.IsFaulted)
        {
            // Whoever takes the object over tells of it.
        }
    }
}
