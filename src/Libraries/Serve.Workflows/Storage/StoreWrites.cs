namespace Serve.Workflows.Storage;

/// <summary>A change of the store. Changes that are queued together are committed in one transaction, in the order of the queue.</summary>
public abstract class StoreWrite
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private protected StoreWrite()
    {
    }

    /// <summary>Gets a task that completes when the change is durable.</summary>
    public Task Done => _done.Task;

    /// <summary>Gets an action that runs when the change is durable, on the committing thread and in the order of the commits.</summary>
    public Action<StoreWrite>? Committed { get; init; }

    internal void Complete()
    {
        Committed?.Invoke(this);
        _done.TrySetResult();
    }

    internal void Fail(Exception failure)
    {
        _done.TrySetException(failure);

        // Nothing awaits writes without a caller; the commit queue has logged the failure.
        _ = _done.Task.Exception;
    }
}

/// <summary>Inserts a workflow unless its id exists.</summary>
/// <param name="record">The workflow.</param>
public sealed class StartWrite(WorkflowRecord record) : StoreWrite
{
    /// <summary>Gets the workflow.</summary>
    public WorkflowRecord Record => record;

    /// <summary>Gets or sets the workflow that has the id already; null if <see cref="Record"/> was inserted. Set by the store.</summary>
    public WorkflowRecord? Existing { get; set; }
}

/// <summary>Appends an entry to the history of an open workflow, and removes the timer of its command.</summary>
/// <param name="row">The entry.</param>
public sealed class AppendWrite(HistoryRow row) : StoreWrite
{
    /// <summary>Gets the entry.</summary>
    public HistoryRow Row => row;

    /// <summary>Gets or sets whether the entry was appended: the workflow is open, in this run, and has no entry for this command. Set by the store.</summary>
    public bool Appended { get; set; }
}

/// <summary>Appends an event, a signal or a cancellation request to the history of an open workflow.</summary>
/// <param name="row">The entry; its run is ignored.</param>
/// <param name="key">Idempotency key; a second entry with the same key is dropped. Null for none.</param>
public sealed class DeliverWrite(HistoryRow row, string? key) : StoreWrite
{
    /// <summary>Gets the entry.</summary>
    public HistoryRow Row => row;

    /// <summary>Gets the idempotency key.</summary>
    public string? Key => key;

    /// <summary>Gets a unique name of this delivery, which stays the same when its commit is repeated.</summary>
    public string Identity { get; } = Guid.NewGuid().ToString("N");

    /// <summary>Gets or sets the result. Set by the store.</summary>
    public DeliveryOutcome Outcome { get; set; }
}

/// <summary>Result of a delivery from outside.</summary>
public enum DeliveryOutcome
{
    /// <summary>The entry is in the history.</summary>
    Accepted,

    /// <summary>An entry with the same idempotency key was accepted before.</summary>
    Duplicate,

    /// <summary>There is no workflow with the id.</summary>
    NotFound,

    /// <summary>The workflow has ended.</summary>
    Ended,
}

/// <summary>Stores or replaces the timer of a command.</summary>
/// <param name="timer">The timer.</param>
public sealed class TimerWrite(WorkflowTimer timer) : StoreWrite
{
    /// <summary>Gets the timer.</summary>
    public WorkflowTimer Timer => timer;
}

/// <summary>Removes the timer of a command.</summary>
/// <param name="workflowId">The workflow.</param>
/// <param name="sequence">The command's number.</param>
public sealed class TimerRemoveWrite(string workflowId, int sequence) : StoreWrite
{
    /// <summary>Gets the workflow.</summary>
    public string WorkflowId => workflowId;

    /// <summary>Gets the command's number.</summary>
    public int Sequence => sequence;
}

/// <summary>Ends a workflow and, in the same transaction, completes the command of its parent.</summary>
/// <param name="workflowId">The workflow.</param>
/// <param name="run">Its run.</param>
/// <param name="status">Its final status.</param>
/// <param name="output">Its result as a payload.</param>
/// <param name="error">Its error.</param>
/// <param name="at">The time.</param>
public sealed class EndWrite(string workflowId, int run, WorkflowStatus status, string? output, WorkflowError? error, DateTimeOffset at) : StoreWrite
{
    /// <summary>Gets the workflow.</summary>
    public string WorkflowId => workflowId;

    /// <summary>Gets its run.</summary>
    public int Run => run;

    /// <summary>Gets its final status.</summary>
    public WorkflowStatus Status => status;

    /// <summary>Gets its result as a payload.</summary>
    public string? Output => output;

    /// <summary>Gets its error.</summary>
    public WorkflowError? Error => error;

    /// <summary>Gets the time.</summary>
    public DateTimeOffset At => at;

    /// <summary>Gets or sets the entry in the parent's history; null if there is none. Set by the store.</summary>
    public HistoryRow? ParentRow { get; set; }

    /// <summary>Creates the entry for the parent's history.</summary>
    /// <param name="parent">The parent.</param>
    /// <param name="sequence">The number of the parent's command.</param>
    /// <param name="name">The name of the workflow's definition.</param>
    public HistoryRow CreateParentRow(WorkflowRecord parent, int sequence, string name) => status == WorkflowStatus.Successful
        ? HistoryRow.OfChild(parent, sequence, name, HistoryKind.ChildCompleted, output, at)
        : HistoryRow.OfChild(parent, sequence, name, HistoryKind.ChildFailed, error?.ToJson(), at);
}

/// <summary>Starts the next run of a workflow with another input and an empty history, except for unread events.</summary>
/// <param name="workflowId">The workflow.</param>
/// <param name="run">The run that ends.</param>
/// <param name="version">The version of the next run.</param>
/// <param name="input">The input of the next run.</param>
/// <param name="position">The last entry that the run has seen. Events, signals and cancellation requests after it are kept.</param>
/// <param name="unread">Positions of earlier events that the run has not read; they are kept too.</param>
public sealed class ContinueWrite(string workflowId, int run, int version, string input, long position, IReadOnlyList<long> unread) : StoreWrite
{
    /// <summary>Gets the workflow.</summary>
    public string WorkflowId => workflowId;

    /// <summary>Gets the run that ends.</summary>
    public int Run => run;

    /// <summary>Gets the version of the next run.</summary>
    public int Version => version;

    /// <summary>Gets the input of the next run.</summary>
    public string Input => input;

    /// <summary>Gets the last entry that the run has seen.</summary>
    public long Position => position;

    /// <summary>Gets the positions of earlier events that are kept.</summary>
    public IReadOnlyList<long> Unread => unread;
}

/// <summary>Blocks an open workflow with a reason, or makes a blocked one running again.</summary>
/// <param name="workflowId">The workflow.</param>
/// <param name="reason">The reason; null to unblock.</param>
public sealed class BlockWrite(string workflowId, WorkflowError? reason) : StoreWrite
{
    /// <summary>Gets the workflow.</summary>
    public string WorkflowId => workflowId;

    /// <summary>Gets the reason; null to unblock.</summary>
    public WorkflowError? Reason => reason;
}

/// <summary>Marks an open workflow as waiting for events or timers only, so that it is not loaded at the start of the host. Any entry clears the mark.</summary>
/// <param name="workflowId">The workflow.</param>
/// <param name="position">The last entry that the workflow has seen; the mark is not set if there is a later one.</param>
public sealed class ParkWrite(string workflowId, long position) : StoreWrite
{
    /// <summary>Gets the workflow.</summary>
    public string WorkflowId => workflowId;

    /// <summary>Gets the last entry that the workflow has seen.</summary>
    public long Position => position;
}

/// <summary>
/// Makes a failed, canceled or blocked workflow running again. A failed one repeats its last failed step, a canceled one continues where it was canceled: entries from there on
/// are removed, except events and signals.
/// </summary>
/// <param name="workflowId">The workflow.</param>
public sealed class ResumeWrite(string workflowId) : StoreWrite
{
    /// <summary>Gets the workflow.</summary>
    public string WorkflowId => workflowId;

    /// <summary>Gets or sets the workflow before the change; null if there is none. Set by the store.</summary>
    public WorkflowRecord? Before { get; set; }
}

/// <summary>Deletes an ended workflow with its history.</summary>
/// <param name="workflowId">The workflow.</param>
public sealed class DeleteWrite(string workflowId) : StoreWrite
{
    /// <summary>Gets the workflow.</summary>
    public string WorkflowId => workflowId;

    /// <summary>Gets or sets the workflow before the change; null if there is none. It is not deleted if it is open. Set by the store.</summary>
    public WorkflowRecord? Before { get; set; }
}
