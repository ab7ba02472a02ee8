namespace Serve.Runtime.Tasks;

/// <summary>Rarely used state of a task, kept in a separate object to keep tasks small. Written under the task's lock.</summary>
internal sealed class TaskExecutionExtras
{
    /// <summary>Whether the task was canceled.</summary>
    public bool IsCancelled { get; set; }

    /// <summary>Source of the task's cancellation token.</summary>
    public CancellationTokenSource? Stop { get; set; }

    /// <summary>Timer of the task's timeout.</summary>
    public ITimer? Timer { get; set; }

    /// <summary>Task of the async method that has returned without completing.</summary>
    public Task? AsyncCode { get; set; }

    /// <summary>Worker that runs the task.</summary>
    public string? WorkerId { get; set; }

    /// <summary>Executor that runs the task in a worker.</summary>
    public ITaskExecutor? Executor { get; set; }

    /// <summary>Task that waits for this one and runs it inline on its thread.</summary>
    public TaskExecution? Outer { get; set; }
}
