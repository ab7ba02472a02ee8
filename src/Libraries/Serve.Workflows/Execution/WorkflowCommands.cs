using Serve.Workflows.Definitions;
using Serve.Workflows.Storage;

namespace Serve.Workflows.Execution;

/// <summary>
/// Something that workflow code waits for: a step, a timer, an event, a child workflow or a condition. Commands are numbered in the order of the calls, which is the same in each replay.
/// Used by the thread of the workflow's turn only.
/// </summary>
internal abstract class WorkflowCommand(int sequence, string name)
{
    public int Sequence => sequence;

    /// <summary>Gets the name that the log contains for the command.</summary>
    public string Name => name;

    /// <summary>Gets the kind of command in messages.</summary>
    public abstract string Kind { get; }

    /// <summary>Gets the time at which the command's timer fires; null for none.</summary>
    public DateTimeOffset? Due { get; init; }

    /// <summary>Gets the attempts of a step; null for other commands.</summary>
    public virtual StepExecution? Execution => null;

    /// <summary>Returns whether an entry of this kind can complete the command.</summary>
    public abstract bool Accepts(HistoryKind kind);

    /// <summary>Completes the command with its entry in the history.</summary>
    public abstract void Complete(HistoryRow row, WorkflowJson json, Func<string, string> load);

    /// <summary>Fails the command because the workflow is canceled.</summary>
    public abstract void Cancel(Exception reason);
}

/// <summary>A command with a result.</summary>
internal abstract class WorkflowCommand<T>(int sequence, string name) : WorkflowCommand(sequence, name)
{
    // Continuations run within the turn that completes the command.
    private protected TaskCompletionSource<T> Source { get; } = new();

    public Task<T> Task => Source.Task;

    public override void Cancel(Exception reason) => Source.TrySetException(reason);
}

/// <summary>The attempts of a step, which run outside of the workflow's turns.</summary>
internal sealed class StepExecution(StepCall call) : IDisposable
{
    public StepCall Call => call;

    /// <summary>Gets or sets the number of attempts so far.</summary>
    public int Attempts { get; set; }

    /// <summary>Gets or sets whether an attempt runs.</summary>
    public bool IsRunning { get; set; }

    /// <summary>Gets or sets the result of a step that is not stored; set before its entry is delivered.</summary>
    public string? UnstoredResult { get; set; }

    public CancellationTokenSource Cancellation { get; } = new();

    public void Dispose() => Cancellation.Dispose();
}

/// <summary>A step.</summary>
internal sealed class StepCommand<T>(int sequence, string name, StepCall call) : WorkflowCommand<StepResult<T>>(sequence, name)
{
    public override string Kind => "step";

    public override StepExecution Execution { get; } = new(call);

    public override bool Accepts(HistoryKind kind) => kind is HistoryKind.StepCompleted or HistoryKind.StepFailed or HistoryKind.StepNotStored;

    public override void Complete(HistoryRow row, WorkflowJson json, Func<string, string> load) => Source.TrySetResult(row.Kind switch
    {
        HistoryKind.StepFailed => new(default, WorkflowError.Parse(load(row.Payload!))),
        HistoryKind.StepNotStored => new(json.Read<T>(Execution.UnstoredResult), null),
        _ => new(json.Read<T>(row.Payload is { } payload ? load(payload) : null), null),
    });

    public override void Cancel(Exception reason)
    {
        Execution.Cancellation.Cancel();
        base.Cancel(reason);
    }
}

/// <summary>A sleep.</summary>
internal sealed class SleepCommand(int sequence) : WorkflowCommand<bool>(sequence, "sleep")
{
    public override string Kind => "sleep";

    public override bool Accepts(HistoryKind kind) => kind == HistoryKind.TimerFired;

    public override void Complete(HistoryRow row, WorkflowJson json, Func<string, string> load) => Source.TrySetResult(true);
}

/// <summary>A wait for an event; the workflow gives it the first unread event of the name and type.</summary>
internal sealed class EventCommand<T>(int sequence, string eventName) : WorkflowCommand<T>(sequence, "event " + eventName), IEventCommand
{
    public string EventName => eventName;

    public override string Kind => "event";

    public override bool Accepts(HistoryKind kind) => kind == HistoryKind.TimerFired;

    public bool TryComplete(string? eventJson, WorkflowJson json)
    {
        try
        {
            return Source.TrySetResult(json.Read<T>(eventJson)!);
        }
        catch (System.Text.Json.JsonException)
        {
            return false;
        }
    }

    public string? FindMismatch(string? eventJson, WorkflowJson json)
    {
        try
        {
            json.Check(eventJson, typeof(T));
            return null;
        }
        catch (System.Text.Json.JsonException failure)
        {
            return $"Event '{eventName}' must be of type {typeof(T).Name}: {failure.Message}";
        }
    }

    public override void Complete(HistoryRow row, WorkflowJson json, Func<string, string> load) =>
        Source.TrySetException(new TimeoutException($"Event '{eventName}' did not arrive in time."));
}

/// <summary>A wait for an event.</summary>
internal interface IEventCommand
{
    string EventName { get; }

    int Sequence { get; }

    /// <summary>Completes the command; false if the event is of another type.</summary>
    bool TryComplete(string? eventJson, WorkflowJson json);

    /// <summary>Returns why an event cannot be read; null if it can.</summary>
    string? FindMismatch(string? eventJson, WorkflowJson json);
}

/// <summary>A wait until a condition on the workflow's fields is true, which signals change.</summary>
internal sealed class ConditionCommand(int sequence, Func<bool> condition) : WorkflowCommand<bool>(sequence, "condition")
{
    public override string Kind => "condition";

    public override bool Accepts(HistoryKind kind) => kind == HistoryKind.TimerFired;

    /// <summary>Completes the command if the condition is true.</summary>
    public bool TryComplete()
    {
        try
        {
            return condition() && Source.TrySetResult(true);
        }
        catch (Exception thrown)
        {
            return Source.TrySetException(thrown);
        }
    }

    public override void Complete(HistoryRow row, WorkflowJson json, Func<string, string> load) => Source.TrySetResult(false);
}

/// <summary>A child workflow.</summary>
internal sealed class ChildCommand<T>(int sequence, string workflow, string id, string inputJson, IReadOnlyDictionary<string, string> metadata)
    : WorkflowCommand<T>(sequence, workflow), IChildCommand
{
    public override string Kind => "child workflow";

    public string Id => id;

    public string InputJson => inputJson;

    public IReadOnlyDictionary<string, string> Metadata => metadata;

    public override bool Accepts(HistoryKind kind) => kind is HistoryKind.ChildCompleted or HistoryKind.ChildFailed;

    public override void Complete(HistoryRow row, WorkflowJson json, Func<string, string> load)
    {
        if (row.Kind == HistoryKind.ChildFailed)
            Source.TrySetException(new WorkflowStepException($"{Name} {id}", WorkflowError.Parse(load(row.Payload!))));
        else
            Source.TrySetResult(json.Read<T>(row.Payload is { } payload ? load(payload) : null)!);
    }
}

/// <summary>A child workflow.</summary>
internal interface IChildCommand
{
    int Sequence { get; }

    string Name { get; }

    string Id { get; }

    string InputJson { get; }

    IReadOnlyDictionary<string, string> Metadata { get; }
}
