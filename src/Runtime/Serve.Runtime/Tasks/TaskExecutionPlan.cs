namespace Serve.Runtime.Tasks;

/// <summary>How the tasks of one function with the same options run: worked out once. Immutable but for its cache, though of plain fields: each property would be compiled on the way to a first result.</summary>
internal sealed class TaskExecutionPlan
{
    public required TaskDispatcher Dispatcher;

    public required RemoteFunction Function;

    /// <summary>What it was worked out from, beside the function's defaults.</summary>
    public TaskOptions? Options;

    /// <summary>Where its tasks wait for their resources.</summary>
    public required TaskQueue Queue;

    public required string Name;

    /// <summary>-1 for ever.</summary>
    public required int MaxRetries;

    public TimeSpan? Timeout;

    public SchedulingStrategy? Scheduling;

    public int? MaxBufferedItems;

    /// <summary>The plan of the options that the function was called with last.</summary>
    public TaskExecutionPlan? Latest;

    /// <summary>Whether an exception of the task's own is one to retry on.</summary>
    public bool ShouldRetry(Exception failure) => RetryExceptionFilter.Matches(failure, Options?.RetryOn, Function.Defaults.RetryOn, Function.Type);
}
