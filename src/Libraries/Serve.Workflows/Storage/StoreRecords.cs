namespace Serve.Workflows.Storage;

/// <summary>A workflow as it is stored: one row.</summary>
public sealed record WorkflowRecord
{
    /// <summary>Gets the workflow's id.</summary>
    public required string Id { get; init; }

    /// <summary>Gets the name of its definition.</summary>
    public required string Name { get; init; }

    /// <summary>Gets the version of the definition with which it was started.</summary>
    public int Version { get; init; } = 1;

    /// <summary>Gets the run: 1, and one more after each continue-as-new.</summary>
    public int Run { get; init; } = 1;

    /// <summary>Gets its status.</summary>
    public WorkflowStatus Status { get; init; }

    /// <summary>Gets its arguments as a payload: a JSON array.</summary>
    public required string Input { get; init; }

    /// <summary>Gets its result as a payload; null while it has none.</summary>
    public string? Output { get; init; }

    /// <summary>Gets why it failed, was canceled or is blocked.</summary>
    public WorkflowError? Error { get; init; }

    /// <summary>Gets the id of the workflow that started it; null for none.</summary>
    public string? Parent { get; init; }

    /// <summary>Gets the sequence number of the parent's command that started it.</summary>
    public int ParentSequence { get; init; }

    /// <summary>Gets the number of its ancestors.</summary>
    public int Depth { get; init; }

    /// <summary>Gets the time of its start.</summary>
    public DateTimeOffset Created { get; init; }

    /// <summary>Gets the time of its end; null while it is open.</summary>
    public DateTimeOffset? Ended { get; init; }

    /// <summary>Gets the host that runs it; null for a store with one host.</summary>
    public string? Owner { get; init; }

    /// <summary>Gets the metadata of its start as a JSON object.</summary>
    public string Metadata { get; init; } = "{}";
}

/// <summary>An entry of a workflow's history.</summary>
public sealed class HistoryRow
{
    /// <summary>Gets the workflow's id.</summary>
    public required string WorkflowId { get; init; }

    /// <summary>Gets the run that the entry belongs to. Entries of other runs are dropped.</summary>
    public required int Run { get; init; }

    /// <summary>Gets the entry's kind.</summary>
    public required HistoryKind Kind { get; init; }

    /// <summary>Gets the number of the command that it completes; -1 for entries from outside.</summary>
    public int Sequence { get; init; } = -1;

    /// <summary>Gets the step's, event's or signal's name.</summary>
    public string Name { get; init; } = "";

    /// <summary>Gets the result, event, arguments or error; null for none.</summary>
    public string? Payload { get; init; }

    /// <summary>Gets the time at which a step started.</summary>
    public DateTimeOffset Started { get; init; }

    /// <summary>Gets the time of the entry.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Gets the number of attempts of a step.</summary>
    public int Attempts { get; init; }

    /// <summary>Gets the metadata of a step as a JSON object; null for none.</summary>
    public string? Metadata { get; init; }

    /// <summary>Gets or sets the position within the history; set by the store when it commits the entry.</summary>
    public long Position { get; set; }

    /// <summary>Creates the entry that completes the command of a parent for a child workflow.</summary>
    /// <param name="parent">The parent.</param>
    /// <param name="sequence">The number of the command.</param>
    /// <param name="name">The name of the child's definition.</param>
    /// <param name="kind">Whether the child returned a result or failed.</param>
    /// <param name="payload">Its result or error.</param>
    /// <param name="at">The time.</param>
    internal static HistoryRow OfChild(WorkflowRecord parent, int sequence, string name, HistoryKind kind, string? payload, DateTimeOffset at) => new()
    {
        WorkflowId = parent.Id,
        Run = parent.Run,
        Kind = kind,
        Sequence = sequence,
        Name = name,
        Payload = payload,
        Started = at,
        At = at,
    };
}

/// <summary>Kinds of history entries. The numbers are stored.</summary>
public enum HistoryKind
{
    /// <summary>A step returned a result.</summary>
    StepCompleted = 1,

    /// <summary>A step returned a result that is not stored, but recomputed on resume.</summary>
    StepNotStored = 2,

    /// <summary>A step failed, after its retries.</summary>
    StepFailed = 3,

    /// <summary>The time of a sleep, a timeout or a grace period has come.</summary>
    TimerFired = 4,

    /// <summary>A child workflow returned a result.</summary>
    ChildCompleted = 5,

    /// <summary>A child workflow failed, was canceled, or could not be started.</summary>
    ChildFailed = 6,

    /// <summary>An event arrived.</summary>
    Event = 7,

    /// <summary>A signal arrived.</summary>
    Signal = 8,

    /// <summary>Cancellation was requested.</summary>
    CancelRequested = 9,

    /// <summary>The code took a patched path.</summary>
    Patch = 10,
}

/// <summary>A durable timer: a sleep, a timeout, or the next attempt of a step.</summary>
/// <param name="WorkflowId">The workflow.</param>
/// <param name="Run">Its run.</param>
/// <param name="Sequence">The command's number.</param>
/// <param name="IsRetry">Whether it starts the next attempt of a step instead of completing the command.</param>
/// <param name="Name">The command's name.</param>
/// <param name="Due">When it fires.</param>
/// <param name="Attempt">Attempts of the step so far.</param>
public sealed record WorkflowTimer(string WorkflowId, int Run, int Sequence, bool IsRetry, string Name, DateTimeOffset Due, int Attempt);
