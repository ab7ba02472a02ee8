using Serve.Calls;
using Serve.Runtime.Objects;

namespace Serve.Runtime.Tasks;

/// <summary>
/// Recomputes the result of a task that is stored outside of this process's heap. Kept with its arguments as long as the result; counts the recomputations.
/// </summary>
internal sealed class TaskResultLineage<TResult>(TaskExecutionPlan plan, MethodCall<TResult> call, ObjectId? parent) : IObjectLineage
{
    private int _restarts;

    public ObjectRef? Restart() => plan.Dispatcher.IsDisposed || (plan.MaxRetries >= 0 && Interlocked.Increment(ref _restarts) > plan.MaxRetries)
        ? null
        : plan.Dispatcher.Resubmit(plan, call, parent);

    // Only readiness matters; the value is not loaded.
    public void Wait(ObjectRef again)
    {
        try
        {
            ((ObjectRef<TResult>)again).GetResult();
        }
        catch (Exception) when (again.IsFaulted)
        {
            // Failures are reported by the reader that adopts the recomputed object.
        }
    }
}
