namespace Serve.Runtime.Tasks;

/// <summary>
/// Resolved execution settings of a function with one set of options. Immutable except for its cache. Uses fields, because every property would be JIT-compiled
/// before the first result of a process.
/// </summary>
internal sealed class TaskExecutionPlan
{
    public required TaskDispatcher Dispatcher;

    public required RemoteFunction Function;

    /// <summary>Options that the plan was resolved from, in addition to the function's defaults.</summary>
    public TaskOptions? Options;

    /// <summary>Queue in which the tasks wait for resources.</summary>
    public required TaskQueue Queue;

    public required string Name;

    /// <summary>Maximum number of retries; -1 for unlimited.</summary>
    public required int MaxRetries;

    public TimeSpan? Timeout;

    public SchedulingStrategy? Scheduling;

    public int? MaxBufferedItems;

    /// <summary>Plan for the options that the function was called with most recently.</summary>
    public TaskExecutionPlan? Latest;

    /// <summary>Whether an exception thrown by the task's own code is retried.</summary>
    public bool ShouldRetry(Exception failure) => RetryExceptionFilter.Matches(failure, Options?.RetryOn, Function.Defaults.RetryOn, Function.Type);
}
