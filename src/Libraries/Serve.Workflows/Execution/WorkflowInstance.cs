using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Serve.Workflows.Definitions;
using Serve.Workflows.Storage;

namespace Serve.Workflows.Execution;

/// <summary>
/// A workflow in memory: its code, the commands that it waits for, and the entries of its history that it has not seen yet. Replaying and running are the same: entries are delivered one at a
/// time, in the order of the log, and the code runs after each until it waits again. Only when the log is used up are pending steps started.
/// </summary>
/// <remarks>
/// Concurrency. Other threads call <see cref="TryEnqueue(object)"/> only. One thread at a time runs turns (<see cref="Execute"/>); all other state belongs to it. The workflow's code runs in turns too:
/// the instance is its synchronization context. A continuation that is posted from outside a turn proves that the code awaited a task that is not the context's.
/// States: replaying (entries of the log remain), live (commands are started when they are created), over (ended, blocked, evicted or continued as new; nothing runs any more).
/// </remarks>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "Code of the workflow may read the token after its end; the source has no timer.")]
internal sealed partial class WorkflowInstance : SynchronizationContext, IThreadPoolWorkItem
{
    private const string ForeignAwait =
        "Workflow code awaited a task that is not from its context, for example Task.Delay, Task.Run, an HTTP call, or an await with ConfigureAwait(false). It may await only the tasks of "
        + "WorkflowContext, steps, child workflows, and Task.WhenAll and Task.WhenAny of these. Use ctx.Sleep for delays, and move other asynchronous code to a step.";

    private const string GraceTimer = "cancel-grace";

    [ThreadStatic]
    private static WorkflowInstance? _current;

    private readonly WorkflowEngine _engine;
    private readonly bool _isInspection;
    private readonly Lock _lock = new();
    private readonly Queue<object> _inbox = [];
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _posted = [];
    private readonly Queue<HistoryRow> _replay = [];
    private readonly List<Action> _whenLive = [];
    private readonly SortedDictionary<int, WorkflowCommand> _pending = [];
    private readonly Dictionary<string, List<HistoryRow>> _unreadEvents = [];
    private readonly Dictionary<string, bool> _patches = [];
    private readonly Dictionary<string, int> _stepNames = [];
    private readonly List<string> _canceledChildren = [];
    private readonly CancellationTokenSource _cancellation = new();
    private Dictionary<int, WorkflowTimer> _timers = [];
    private WorkflowDefinition? _definition;
    private WorkflowContext? _context;
    private object? _workflow;
    private Task<object?>? _main;
    private HistoryRow? _recomputed;
    private HistoryRow? _cancelRequest;
    private bool _isScheduled;
    private bool _isEnding;
    private bool _isClosed;
    private bool _isLive;
    private bool _isStale;
    private bool _isOver;
    private int _sequence;
    private int _running;
    private int _rows;
    private long _position;

    public WorkflowInstance(WorkflowEngine engine, string id, bool isInspection = false)
    {
        (_engine, Id, _isInspection) = (engine, id, isInspection);
        TryEnqueue(Load);
    }

    public string Id { get; }

    /// <summary>Gets the stored workflow; set by the first turn.</summary>
    public WorkflowRecord Record { get; private set; } = null!;

    /// <summary>Gets or sets the position among the idle instances; belongs to the engine's lock.</summary>
    public LinkedListNode<WorkflowInstance>? IdleNode { get; set; }

    /// <summary>Gets the time of the last delivered entry.</summary>
    public DateTimeOffset Now { get; private set; }

    public bool IsReplaying => !_isLive;

    public CancellationToken CancellationToken => _cancellation.Token;

    public int NextSequence => _sequence + 1;

    private bool IsIdle => _isLive && !_isOver && _running == 0 && _posted.Count == 0;

    /// <summary>Queues an entry of the history, or an action, for the next turn. Entries that arrive while the end is being committed are dropped; the store contains them.</summary>
    /// <returns>False if the instance has been evicted or has ended; the caller loads the workflow again if that is needed.</returns>
    public bool TryEnqueue(object item)
    {
        lock (_lock)
        {
            if (_isClosed || (_isEnding && item is not HistoryRow))
                return false;
            if (_isEnding)
                return true;
            _inbox.Enqueue(item);
            if (_isScheduled)
                return true;
            _isScheduled = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return true;
    }

    public bool TryEnqueue(Action action) => TryEnqueue((object)action);

    /// <summary>Runs turns until the inbox is empty.</summary>
    public void Execute()
    {
        var previous = Current;
        SetSynchronizationContext(this);
        _current = this;
        try
        {
            while (TryDequeue(out var item))
                RunTurn(item);
        }
        finally
        {
            _current = null;
            SetSynchronizationContext(previous);
        }
    }

    /// <inheritdoc/>
    public override void Post(SendOrPostCallback d, object? state)
    {
        if (_current == this)
            _posted.Enqueue((d, state));
        else
            TryEnqueue(() => Block(new NonDeterministicWorkflowException(ForeignAwait)));
    }

    /// <inheritdoc/>
    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("Workflow code cannot be called synchronously from outside.");

    /// <inheritdoc/>
    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Runs a function on the workflow object when its log has been replayed.</summary>
    public Task<T> Ask<T>(Func<object, T> question)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Answer()
        {
            if (_workflow is null)
            {
                // It has ended since, or is blocked; the caller looks again.
                if (!_isInspection)
                    answer.TrySetCanceled();
                answer.TrySetException(new WorkflowNotFoundException($"Workflow '{Id}' cannot be loaded: its class is not part of this program, or its stored input does not fit."));
                return;
            }

            try
            {
                answer.TrySetResult(question(_workflow));
            }
            catch (Exception failure)
            {
                answer.TrySetException(failure);
            }
        }

        if (!TryEnqueue(() => WhenReplayed(Answer)))
            answer.TrySetCanceled();
        return answer.Task;
    }

    /// <summary>Returns why an event does not fit the code that waits for it; null if it does, or if no code waits.</summary>
    public string? FindEventMismatch(string name, string? json) =>
        _pending.Values.OfType<IEventCommand>().FirstOrDefault(command => command.EventName == name)?.FindMismatch(json, _engine.Json);

    /// <summary>Starts the next attempt of a step whose wait is over.</summary>
    public void RetryStep(int sequence)
    {
        if (_isLive && !_isOver && _pending.GetValueOrDefault(sequence) is { Execution: { IsRunning: false } execution } command)
            StartAttempt(command, execution);
    }

    /// <summary>Removes the workflow from memory if it only waits for events and timers.</summary>
    public void Evict()
    {
        if (!IsIdle)
            return;
        lock (_lock)
        {
            if (_inbox.Count > 0)
                return;
            _isClosed = true;
        }

        _isOver = true;
        _engine.Remove(this);
        _engine.Commits.Enqueue(new ParkWrite(Id, _position));
    }

    /// <summary>Stops the instance; the workflow stays open in the store.</summary>
    public void Abandon()
    {
        Close();
        foreach (var command in _pending.Values)
            command.Execution?.Cancellation.Cancel();
    }

    /// <exception cref="NonDeterministicWorkflowException">The calling code does not run in a turn of this workflow.</exception>
    public void ThrowIfOutside()
    {
        if (_current != this)
            throw new NonDeterministicWorkflowException(ForeignAwait);
    }

    /// <summary>Adds a command; it is started at once if the log is used up.</summary>
    public T Register<T>(Func<int, T> create)
        where T : WorkflowCommand
    {
        ThrowIfOutside();
        if (_rows >= _engine.Options.MaxHistory)
        {
            throw new WorkflowLimitException(
                $"The history of workflow '{Id}' has {_rows:N0} entries, the maximum of a run. Throw ctx.ContinueAsNew(…) earlier, which starts a new run with an empty history.");
        }

        var command = create(++_sequence);
        if (command is IEventCommand waiting && TakeUnread(waiting))
            return command;
        if (command is ConditionCommand condition && condition.TryComplete())
            return command;
        _pending.Add(command.Sequence, command);
        if (_isLive)
            StartCommand(command);
        return command;
    }

    /// <summary>Returns a name that no other step of this run has: the second step of a name gets the suffix <c>_1</c>.</summary>
    public string UniqueStepName(string name)
    {
        ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(_stepNames, name, out var isKnown);
        var unique = name;
        while (isKnown)
        {
            unique = string.Create(CultureInfo.InvariantCulture, $"{name}_{++count}");
            isKnown = _stepNames.ContainsKey(unique);
        }

        if (unique != name)
            _stepNames.Add(unique, 0);
        return unique;
    }

    public bool IsPatched(string name)
    {
        ThrowIfOutside();
        if (_patches.TryGetValue(name, out var isPatched))
            return isPatched;

        // The old code has run past this point if entries remain.
        isPatched = _isLive || _replay.Count == 0;
        _patches.Add(name, isPatched);
        if (isPatched && !_isInspection)
            _engine.Append(this, new() { WorkflowId = Id, Run = Record.Run, Kind = HistoryKind.Patch, Name = name, At = _engine.Clock.Now });
        return isPatched;
    }

    private bool TryDequeue(out object item)
    {
        lock (_lock)
        {
            _isScheduled = _inbox.TryDequeue(out item!);
            return _isScheduled;
        }
    }

    private void RunTurn(object item)
    {
        try
        {
            if (item is HistoryRow row)
                Receive(row);
            else
                ((Action)item)();
            if (_isLive && !_isOver)
                _engine.NoteIdle(this, IsIdle);
        }
        catch (WorkflowStorageException failure)
        {
            Log.LoadFailed(_engine.Logger, failure, Id);
            Close();
            _engine.ReloadLater(Id);
        }
        catch (NonDeterministicWorkflowException failure)
        {
            Block(failure);
        }
    }

    private void Load()
    {
        if (_engine.Store.Find(Id) is not { } record || (!_isInspection && (record.Status != WorkflowStatus.Running || !_engine.Store.IsOwned(record))))
        {
            Close();
            return;
        }

        Record = record;
        if (WorkflowRegistry.Find(record.Name, record.Version) is not { } definition)
        {
            Block(new WorkflowNotFoundException($"Workflow '{record.Name}' version {record.Version} is not part of this program. Add the class again and resume the workflow."));
            return;
        }

        _definition = definition;
        var rows = _engine.Store.ReadHistory(Id);
        _timers = _engine.Store.ReadTimers(Id).ToDictionary(timer => timer.Sequence);
        foreach (var row in rows)
        {
            _replay.Enqueue(row);
            if (row.Kind == HistoryKind.Patch)
                _patches[row.Name] = true;
        }

        Now = record.Created;
        object?[] arguments;
        try
        {
            arguments = _engine.Json.ReadArguments(_engine.Payloads.Load(record.Input), definition.ParameterTypes);
        }
        catch (System.Text.Json.JsonException failure)
        {
            Block(new NonDeterministicWorkflowException($"The stored input of workflow '{record.Name}' does not fit the parameters of its Run method: {failure.Message}"));
            return;
        }

        StartCode(definition, arguments);
        Pump();
    }

    private void StartCode(WorkflowDefinition definition, object?[] arguments)
    {
        _context = new(this, _engine);
        try
        {
            _workflow = definition.Create();
            _main = definition.Run(_workflow, _context, arguments);
        }
        catch (Exception thrown)
        {
            _main = Task.FromException<object?>(thrown);
        }

        _main.ContinueWith(
            (_, state) =>
            {
                var instance = (WorkflowInstance)state!;
                if (_current != instance)
                    instance.TryEnqueue(() => instance.Block(new NonDeterministicWorkflowException(ForeignAwait)));
            },
            this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        Settle();
    }

    private void Receive(HistoryRow row)
    {
        if (_isOver)
            return;
        if (_isLive && _recomputed is null && row.Position == _position + 1)
            Deliver(row);
        else if (row.Position == 0 || row.Position > _position)
            Refresh();
    }

    /// <summary>Reads the entries that this instance has not seen: another host has appended some, or they were committed while the log was read.</summary>
    public void Refresh()
    {
        _isStale = true;
        if (!_isOver && _main is not null)
            Pump();
    }

    private bool ReadMissed()
    {
        if (!_isStale)
            return false;
        _isStale = false;
        foreach (var row in _engine.Store.ReadHistory(Id, _position))
            _replay.Enqueue(row);
        return _replay.Count > 0;
    }

    /// <summary>Delivers the entries of the log, then starts the commands that have none.</summary>
    private void Pump()
    {
        do
        {
            while (!_isOver && _recomputed is null && _replay.TryDequeue(out var row))
                Deliver(row);
            if (_isOver || _recomputed is not null)
                return;
        }
        while (ReadMissed());
        if (_isLive)
            return;
        _isLive = true;
        if (!_isInspection)
        {
            if (_cancelRequest is not null)
                ArmGraceTimer();
            foreach (var child in _canceledChildren)
                _engine.CancelChild(Id, child);
            foreach (var command in _pending.Values.ToArray())
                StartCommand(command);
        }

        foreach (var action in _whenLive)
            action();
        _whenLive.Clear();
    }

    private void WhenReplayed(Action action)
    {
        if (_isLive || _isOver)
            action();
        else
            _whenLive.Add(action);
    }

    private void Deliver(HistoryRow row)
    {
        // An entry that was committed while the log was read arrives twice.
        if (row.Position <= _position)
            return;
        _position = row.Position;
        _rows++;
        if (_rows == _engine.Options.MaxHistory / 5 && !_isInspection)
            Log.LongHistory(_engine.Logger, Id, _rows, _engine.Options.MaxHistory);
        if (row.At > Now)
            Now = row.At;
        if (row.Kind == HistoryKind.StepNotStored && _pending.GetValueOrDefault(row.Sequence) is { Execution: { UnstoredResult: null } execution } command)
        {
            _recomputed = row;
            _engine.Recompute(this, command, execution, Continue);
            return;
        }

        Apply(row);
        Settle();

        void Continue(string? result, Exception? failure)
        {
            if (failure is not null)
                throw new NonDeterministicWorkflowException($"Step '{row.Name}', whose result is not stored, failed when it was repeated: {failure.Message}");
            execution.UnstoredResult = result;
            _recomputed = null;
            Apply(row);
            Settle();
            Pump();
        }
    }

    private void Apply(HistoryRow row)
    {
        switch (row.Kind)
        {
            case HistoryKind.Event:
                ApplyEvent(row);
                break;
            case HistoryKind.Signal:
                ApplySignal(row);
                break;
            case HistoryKind.CancelRequested:
                ApplyCancel(row);
                break;
            case HistoryKind.TimerFired when row.Name == GraceTimer:
                End(WorkflowStatus.Canceled, null, CancelError());
                break;
            case HistoryKind.Patch:
                break;
            default:
                ApplyResult(row);
                break;
        }
    }

    private void ApplyResult(HistoryRow row)
    {
        if (!_pending.TryGetValue(row.Sequence, out var command))
        {
            // The command was canceled or has its result already, for example an event whose timeout came later.
            if (row.Sequence <= _sequence)
                return;
            throw new NonDeterministicWorkflowException(
                $"Step {row.Sequence} was '{row.Name}' in the log, but the code has not started it. Restore the code, or separate the paths with ctx.Patched(…); then resume the workflow.");
        }

        if (command.Name != row.Name || !command.Accepts(row.Kind))
        {
            throw new NonDeterministicWorkflowException(
                $"Step {row.Sequence} was '{row.Name}' in the log, but is now {command.Kind} '{command.Name}'. Restore the code, or separate the paths with ctx.Patched(…); then resume the workflow.");
        }

        _pending.Remove(row.Sequence);
        EndAttempt(command);
        try
        {
            command.Complete(row, _engine.Json, _engine.Payloads.Load);
        }
        catch (System.Text.Json.JsonException failure)
        {
            throw new NonDeterministicWorkflowException($"The logged result of step '{row.Name}' does not fit its type any more: {failure.Message}");
        }
    }

    private void ApplyEvent(HistoryRow row)
    {
        var json = row.Payload is { } payload ? _engine.Payloads.Load(payload) : null;
        foreach (var command in _pending.Values.Where(command => command is IEventCommand waiting && waiting.EventName == row.Name).ToArray())
        {
            _pending.Remove(command.Sequence);
            if (((IEventCommand)command).TryComplete(json, _engine.Json))
            {
                RemoveTimer(command);
                return;
            }

            _pending.Add(command.Sequence, command);
        }

        if (!_unreadEvents.TryGetValue(row.Name, out var unread))
            _unreadEvents.Add(row.Name, unread = []);
        unread.Add(row);
    }

    /// <summary>Completes a new wait with the first unread event that fits. Events of another type stay unread.</summary>
    private bool TakeUnread(IEventCommand command)
    {
        if (!_unreadEvents.TryGetValue(command.EventName, out var unread))
            return false;
        var index = unread.FindIndex(row => command.TryComplete(row.Payload is { } payload ? _engine.Payloads.Load(payload) : null, _engine.Json));
        if (index < 0)
            return false;
        unread.RemoveAt(index);
        return true;
    }

    private void ApplySignal(HistoryRow row)
    {
        if (_definition!.FindSignal(row.Name) is not { } method)
            throw new NonDeterministicWorkflowException($"The log contains signal '{row.Name}', but workflow '{Record.Name}' has no such method. Restore it and resume the workflow.");
        try
        {
            var types = method.GetParameters().Select(parameter => parameter.ParameterType).ToArray();
            WorkflowDefinition.Invoke(method, _workflow!, _engine.Json.ReadArguments(_engine.Payloads.Load(row.Payload ?? "[]"), types));
        }
        catch (Exception thrown) when (thrown is not NonDeterministicWorkflowException)
        {
            Log.SignalFailed(_engine.Logger, thrown, Id, row.Name);
        }
    }

    private void ApplyCancel(HistoryRow row)
    {
        if (_cancelRequest is not null)
            return;
        _cancelRequest = row;
        var reason = new WorkflowCanceledException(Id, CancelError().Message);
        foreach (var command in _pending.Values.ToArray())
        {
            _pending.Remove(command.Sequence);
            if (command is IChildCommand child)
            {
                _canceledChildren.Add(child.Id);
                if (_isLive)
                    _engine.CancelChild(Id, child.Id);
            }

            RemoveTimer(command);
            command.Cancel(reason);
        }

        _cancellation.Cancel();
        if (_isLive && !_isInspection)
            ArmGraceTimer();
    }

    private WorkflowError CancelError() => new(typeof(WorkflowCanceledException).FullName!, _engine.Json.Read<string>(_cancelRequest?.Payload) ?? "it was canceled");

    private void ArmGraceTimer()
    {
        var due = _cancelRequest!.At + _engine.Options.CancelGrace;
        _engine.StoreTimer(new(Id, Record.Run, 0, false, GraceTimer, due, 0));
    }

    /// <summary>Runs the code until it waits, then ends the workflow or checks that it waits for something.</summary>
    private void Settle()
    {
        do
        {
            while (!_isOver && _posted.TryDequeue(out var posted))
                posted.Callback(posted.State);
        }
        while (!_isOver && CompleteCondition());

        if (_isOver || _main is null)
            return;
        if (_main.IsCompleted)
            EndCode();
        else if (_pending.Count == 0 && !_definition!.HasSignals)
            throw new NonDeterministicWorkflowException(ForeignAwait);
    }

    private bool CompleteCondition()
    {
        foreach (var command in _pending.Values.OfType<ConditionCommand>())
        {
            if (!command.TryComplete())
                continue;
            _pending.Remove(command.Sequence);
            RemoveTimer(command);
            return true;
        }

        return false;
    }

    private void StartCommand(WorkflowCommand command)
    {
        if (_isInspection)
            return;
        _timers.Remove(command.Sequence, out var timer);
        if (command.Execution is { } execution)
        {
            execution.Attempts = timer?.Attempt ?? 0;
            if (timer is not null && timer.Due > _engine.Clock.Now)
                _engine.Timers.Add(timer);
            else
                StartAttempt(command, execution);
        }
        else if (command is IChildCommand child)
        {
            _engine.StartChild(this, child);
        }
        else if (timer is not null)
        {
            _engine.Timers.Add(timer);
        }
        else if (command.Due is { } due)
        {
            _engine.StoreTimer(new(Id, Record.Run, command.Sequence, false, command.Name, due, 0));
        }
    }

    private void StartAttempt(WorkflowCommand command, StepExecution execution)
    {
        execution.IsRunning = true;
        execution.Attempts++;
        _running++;
        _engine.RunAttempt(this, command, execution);
    }

    /// <summary>Notes that no attempt of a step runs any more; a retry waits for its time.</summary>
    public void EndAttempt(WorkflowCommand command)
    {
        if (command.Execution is not { IsRunning: true } execution)
            return;
        execution.IsRunning = false;
        _running--;
    }

    private void RemoveTimer(WorkflowCommand command)
    {
        if (_isLive && !_isInspection && (command.Due is not null || command.Execution is { Attempts: > 0, IsRunning: false }))
            _engine.Commits.Enqueue(new TimerRemoveWrite(Id, command.Sequence));
    }

    private void EndCode()
    {
        if (_isInspection)
            return;
        if (_replay.FirstOrDefault(row => row.Sequence > _sequence) is { } unexpected)
        {
            throw new NonDeterministicWorkflowException(
                $"Step {unexpected.Sequence} was '{unexpected.Name}' in the log, but the code has ended before it. Restore the code, or separate the paths with ctx.Patched(…); then resume the workflow.");
        }

        var failure = _main!.IsCompletedSuccessfully ? null : _main.Exception?.InnerException ?? new OperationCanceledException();
        switch (failure)
        {
            case null:
                EndWithResult(_main.Result);
                break;
            case ContinueAsNewException next:
                ContinueAsNew(next);
                break;
            case NonDeterministicWorkflowException broken:
                Block(broken);
                break;
            case OperationCanceledException when _cancelRequest is not null:
                End(WorkflowStatus.Canceled, null, CancelError());
                break;
            default:
                End(WorkflowStatus.Failed, null, WorkflowError.Of(failure));
                break;
        }
    }

    private void EndWithResult(object? result)
    {
        string? payload = null;
        try
        {
            payload = _engine.Payloads.Store(_engine.Json.Write(result, _definition!.ResultType, $"The result of workflow '{Id}'"), $"The result of workflow '{Id}'");
        }
        catch (Exception failure) when (failure is ArgumentException or WorkflowLimitException)
        {
            End(WorkflowStatus.Failed, null, WorkflowError.Of(failure));
            return;
        }

        End(WorkflowStatus.Successful, payload, null);
    }

    private void End(WorkflowStatus status, string? payload, WorkflowError? error)
    {
        if (_isInspection)
            return;
        Close(isCommitting: true);
        _engine.End(this, status, payload, error);
    }

    private void ContinueAsNew(ContinueAsNewException next)
    {
        var newest = WorkflowRegistry.Find(Record.Name)!;
        string input;
        try
        {
            input = _engine.Payloads.Store(_engine.Json.WriteArguments(next.Arguments, newest.ParameterTypes, $"Workflow '{Record.Name}'"), $"The input of workflow '{Id}'");
        }
        catch (Exception failure) when (failure is ArgumentException or WorkflowLimitException)
        {
            End(WorkflowStatus.Failed, null, WorkflowError.Of(failure));
            return;
        }

        Close(isCommitting: true);
        _engine.Commits.Enqueue(new ContinueWrite(Id, Record.Run, newest.Version, input, _position, [.. _unreadEvents.Values.SelectMany(rows => rows).Select(row => row.Position)])
        {
            Committed = _ => _engine.Continued(this, input),
        });
    }

    private void Block(Exception failure)
    {
        if (_isOver)
            return;
        Close(isCommitting: !_isInspection);
        if (!_isInspection)
            _engine.Block(this, WorkflowError.Of(failure) with { Details = null });
        Log.Blocked(_engine.Logger, Id, failure.Message);
    }

    /// <summary>Ends the instance. Running steps are canceled.</summary>
    /// <param name="isCommitting">Whether the engine removes it when the end is committed, instead of now.</param>
    private void Close(bool isCommitting = false)
    {
        lock (_lock)
        {
            (_isEnding, _isClosed) = (isCommitting, !isCommitting);
            _isOver = true;
        }

        foreach (var command in _pending.Values)
            command.Execution?.Cancellation.Cancel();
        foreach (var action in _whenLive)
            action();
        _whenLive.Clear();
        if (!isCommitting && !_isInspection)
            _engine.Remove(this);
    }

    private static partial class Log
    {
        [LoggerMessage(13010, LogLevel.Error, "Workflow '{Id}' cannot be loaded and is loaded again later")]
        public static partial void LoadFailed(ILogger logger, Exception failure, string id);

        [LoggerMessage(13011, LogLevel.Warning, "The history of workflow '{Id}' has {Rows} entries; at {Max} it fails. It should continue as new")]
        public static partial void LongHistory(ILogger logger, string id, int rows, int max);

        [LoggerMessage(13012, LogLevel.Warning, "Signal '{Signal}' of workflow '{Id}' threw an exception; the workflow continues")]
        public static partial void SignalFailed(ILogger logger, Exception failure, string id, string signal);

        [LoggerMessage(13013, LogLevel.Error, "Workflow '{Id}' is blocked: {Reason}")]
        public static partial void Blocked(ILogger logger, string id, string reason);
    }
}
