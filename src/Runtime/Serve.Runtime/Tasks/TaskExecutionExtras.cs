namespace Serve.Runtime.Tasks;

/// <summary>What few tasks have, apart from them so that the many stay small. Written under its task's lock.</summary>
internal sealed class TaskExecutionExtras
{
    /// <summary>Whether it was cancelled.</summary>
    public bool IsCancelled { get; set; }

    /// <summary>What its token belongs to.</summary>
    public CancellationTokenSource? Stop { get; set; }

    /// <summary>Fires when its time is up.</summary>
    public ITimer? Timer { get; set; }

    /// <summary>Its async method, which has returned before its end.</summary>
    public Task? Flow { get; set; }

    /// <summary>The worker it runs in.</summary>
    public string? WorkerId { get; set; }

    /// <summary>The executor that runs it in a worker.</summary>
    public ITaskExecutor? Executor { get; set; }

    /// <summary>The task on whose thread it runs since that waits for it.</summary>
    public TaskExecution? Outer { get; set; }
}
