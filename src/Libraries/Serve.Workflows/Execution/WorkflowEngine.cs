using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Serve.Hosting;
using Serve.Workflows.Storage;

namespace Serve.Workflows.Execution;

/// <summary>Runs the workflows of one store: loads them, runs attempts of their steps on the cluster, commits results and delivers them.</summary>
internal sealed partial class WorkflowEngine : IAsyncDisposable
{
    private const int ResumePage = 256;

    private static readonly TimeSpan ReloadDelay = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PurgeInterval = TimeSpan.FromHours(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, WorkflowInstance> _instances = [];
    private readonly LinkedList<WorkflowInstance> _idle = [];
    private readonly Dictionary<string, List<TaskCompletionSource>> _waiters = [];
    private readonly CancellationTokenSource _stop = new();
    private ITimer? _purgeTimer;
    private ITimer? _claimTimer;
    private int _isClaiming;

    public WorkflowEngine(Cluster cluster, WorkflowOptions options)
    {
        Cluster = cluster;
        Options = options;
        Logger = (options.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger("Serve.Workflows");
        Store = options.Store ?? new SqliteWorkflowStore(options.Storage);
        Json = new(cluster);
        Store.Open();
        Clock = new(options.TimeProvider, Store.LastTime);
        Payloads = new(Store.PayloadFolder, options.MaxInlinePayload, options.MaxPayloadBytes);
        if (Store.PayloadFolder is not null)
            Payloads.DeleteUnused(Store.ReadPayloadHashes());
        Commits = new(Store, () => Clock.Now, Payloads.Delete, CommitFailed, Logger);
        Timers = new(Store, Clock, options.TimeProvider, Fire, failure => Log.TimersFailed(Logger, failure));
    }

    public Cluster Cluster { get; }

    public WorkflowOptions Options { get; }

    public ILogger Logger { get; }

    public WorkflowStore Store { get; }

    public WorkflowJson Json { get; }

    public DurableClock Clock { get; }

    public WorkflowPayloads Payloads { get; }

    public CommitQueue Commits { get; }

    public TimerQueue Timers { get; }

    private bool IsStopping => _stop.IsCancellationRequested || Cluster.IsDisposed;

    /// <summary>Gets the number of workflows in memory.</summary>
    public int InMemory
    {
        get
        {
            lock (_lock)
                return _instances.Count;
        }
    }

    /// <summary>Starts timers and, in the background, all open workflows that do not only wait.</summary>
    public void Start()
    {
        Timers.Start();
        Task.Run(ResumeOpenAsync);
        Store.Listen(id => Task.Run(() => Changed(id)));
        if (Store.ClaimInterval is { } interval)
            _claimTimer = Options.TimeProvider.CreateTimer(_ => Claim(), null, TimeSpan.Zero, interval);
        if (Options.KeepFinishedFor != Timeout.InfiniteTimeSpan)
            _purgeTimer = Options.TimeProvider.CreateTimer(_ => _ = PurgeAsync(), null, TimeSpan.Zero, PurgeInterval);
    }

    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
            return;
        await _stop.CancelAsync().ConfigureAwait(false);
        Timers.Dispose();
        _purgeTimer?.Dispose();
        _claimTimer?.Dispose();
        AbandonAll();
        await Commits.DisposeAsync().ConfigureAwait(false);
        await Store.DisposeAsync().ConfigureAwait(false);
        FailWaiters(CommitQueue.ClosedFailure());
    }

    /// <summary>Returns the workflow in memory, loading it if it is not.</summary>
    public WorkflowInstance? Wake(string id)
    {
        lock (_lock)
        {
            if (_instances.TryGetValue(id, out var instance))
                return instance;
            if (IsStopping)
                return null;
            instance = new(this, id);
            _instances.Add(id, instance);
            WorkflowMetrics.InMemory.Add(1);
            return instance;
        }
    }

    /// <summary>Delivers a committed entry to its workflow.</summary>
    public void Deliver(HistoryRow row) => Enqueue(row.WorkflowId, row);

    public void Remove(WorkflowInstance instance)
    {
        lock (_lock)
        {
            if (_instances.TryGetValue(instance.Id, out var current) && current == instance)
            {
                _instances.Remove(instance.Id);
                WorkflowMetrics.InMemory.Add(-1);
            }

            RemoveIdle(instance);
        }
    }

    /// <summary>Notes whether a workflow only waits. The one that has waited longest is removed from memory if too many do.</summary>
    public void NoteIdle(WorkflowInstance instance, bool isIdle)
    {
        WorkflowInstance? oldest = null;
        lock (_lock)
        {
            RemoveIdle(instance);
            if (!isIdle)
                return;
            instance.IdleNode = _idle.AddLast(instance);
            if (_idle.Count > Options.MaxIdleInMemory)
            {
                oldest = _idle.First!.Value;
                RemoveIdle(oldest);
            }
        }

        if (oldest is not null)
            oldest.TryEnqueue(oldest.Evict);
    }

    /// <summary>Loads a workflow again after its data could not be read.</summary>
    public void ReloadLater(string id) =>
        Task.Delay(ReloadDelay, Options.TimeProvider, _stop.Token).ContinueWith(_ => Wake(id), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);

    /// <summary>Starts an attempt of a step outside of the workflow's turns.</summary>
    public void RunAttempt(WorkflowInstance instance, WorkflowCommand command, StepExecution execution) =>
        ThreadPool.UnsafeQueueUserWorkItem(static work => _ = work.Engine.AttemptAsync(work.Instance, work.Command, work.Execution), (Engine: this, Instance: instance, Command: command, Execution: execution), preferLocal: true);

    /// <summary>Runs a step again whose result is not stored.</summary>
    public void Recompute(WorkflowInstance instance, WorkflowCommand command, StepExecution execution, Action<string?, Exception?> resume) =>
        ThreadPool.UnsafeQueueUserWorkItem(static work => _ = work.Engine.RecomputeAsync(work.Instance, work.Command, work.Execution, work.Resume), (Engine: this, Instance: instance, Command: command, Execution: execution, Resume: resume), preferLocal: true);

    /// <summary>Stores a timer and arms it when it is durable.</summary>
    public void StoreTimer(WorkflowTimer timer, Action? committed = null) => Commits.Enqueue(new TimerWrite(timer)
    {
        Committed = _ =>
        {
            committed?.Invoke();
            Timers.Add(timer);
        },
    });

    /// <summary>Appends an entry and delivers it when it is durable.</summary>
    public void Append(WorkflowInstance instance, HistoryRow row, WorkflowCommand? command = null) => Commits.Enqueue(new AppendWrite(row)
    {
        Committed = write =>
        {
            Payloads.Release(row.Payload);
            if (((AppendWrite)write).Appended)
            {
                Deliver(row);
                return;
            }

            // The workflow has ended, or a repeated commit had succeeded before.
            instance.TryEnqueue(() =>
            {
                if (command is not null)
                    instance.EndAttempt(command);
                instance.Refresh();
            });
        },
    });

    public void End(WorkflowInstance instance, WorkflowStatus status, string? payload, WorkflowError? error) =>
        Commits.Enqueue(new EndWrite(instance.Id, instance.Record.Run, status, payload, error, Clock.Now)
        {
            Committed = write =>
            {
                Payloads.Release(payload);
                Remove(instance);
                WorkflowMetrics.Ended.Add(1, new KeyValuePair<string, object?>("status", status.ToString()));
                NotifyEnded(instance.Id);
                if (((EndWrite)write).ParentRow is { } row)
                    Deliver(row);
            },
        });

    public void Block(WorkflowInstance instance, WorkflowError reason) => Commits.Enqueue(new BlockWrite(instance.Id, reason)
    {
        Committed = _ =>
        {
            Remove(instance);
            WorkflowMetrics.Ended.Add(1, new KeyValuePair<string, object?>("status", nameof(WorkflowStatus.Blocked)));
            NotifyEnded(instance.Id);
        },
    });

    /// <summary>Starts the next run, which is durable now.</summary>
    public void Continued(WorkflowInstance instance, string input)
    {
        Payloads.Release(input);
        Remove(instance);
        Wake(instance.Id);
    }

    public void StartChild(WorkflowInstance parent, IChildCommand child)
    {
        if (child.Id == parent.Id)
        {
            FailChild(parent, child, new WorkflowExistsException($"Workflow '{parent.Id}' cannot start itself as a child: it would wait for its own end."));
            return;
        }

        if (parent.Record.Depth + 1 > Options.MaxDepth)
        {
            FailChild(parent, child, new WorkflowLimitException($"Workflow '{child.Id}' would be nested more than {Options.MaxDepth:N0} deep. Check the recursion of workflow '{parent.Record.Name}'."));
            return;
        }

        string input;
        try
        {
            input = Payloads.Store(child.InputJson, $"The input of workflow '{child.Id}'");
        }
        catch (WorkflowLimitException failure)
        {
            FailChild(parent, child, failure);
            return;
        }

        Commits.Enqueue(new StartWrite(new()
        {
            Id = child.Id,
            Name = child.Name,
            Version = Definitions.WorkflowRegistry.Find(child.Name)?.Version ?? 1,
            Input = input,
            Parent = parent.Id,
            ParentSequence = child.Sequence,
            Depth = parent.Record.Depth + 1,
            Created = Clock.Now,
            Metadata = JsonSerializer.Serialize(child.Metadata),
        })
        {
            Committed = write =>
            {
                Payloads.Release(input);
                ChildStarted(parent, child, ((StartWrite)write).Existing);
            },
        });
    }

    public void CancelChild(string parent, string child)
    {
        var row = new HistoryRow { WorkflowId = child, Run = 0, Kind = HistoryKind.CancelRequested, Payload = JsonSerializer.Serialize($"its parent '{parent}' was canceled"), At = Clock.Now };
        Commits.Enqueue(new DeliverWrite(row, key: null)
        {
            Committed = write =>
            {
                if (((DeliverWrite)write).Outcome == DeliveryOutcome.Accepted)
                    Deliver(row);
            },
        });
    }

    /// <summary>Waits until a workflow has ended or is blocked.</summary>
    public async Task<WorkflowRecord> WaitForEndAsync(string id, CancellationToken cancellationToken)
    {
        while (true)
        {
            var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_stop.IsCancellationRequested, typeof(WorkflowHost));
                if (!_waiters.TryGetValue(id, out var waiters))
                    _waiters.Add(id, waiters = []);
                waiters.Add(ended);
            }

            try
            {
                var record = Store.Find(id) ?? throw WorkflowHost.NotFound(id);
                if (record.Status != WorkflowStatus.Running)
                    return record;
                await ended.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                lock (_lock)
                {
                    if (_waiters.TryGetValue(id, out var waiters) && waiters.Remove(ended) && waiters.Count == 0)
                        _waiters.Remove(id);
                }
            }
        }
    }

    /// <summary>Adds a wait to a time, up to the last representable time.</summary>
    public static DateTimeOffset Later(DateTimeOffset time, TimeSpan wait) => wait > DateTimeOffset.MaxValue - time ? DateTimeOffset.MaxValue : time + wait;

    private void Enqueue(string id, object item)
    {
        while (Wake(id) is { } instance)
        {
            if (instance.TryEnqueue(item))
                return;
            Remove(instance);
        }
    }

    private void RemoveIdle(WorkflowInstance instance)
    {
        if (instance.IdleNode is not { } node)
            return;
        _idle.Remove(node);
        instance.IdleNode = null;
    }

    private void NotifyEnded(string id)
    {
        List<TaskCompletionSource>? waiters;
        lock (_lock)
            _waiters.Remove(id, out waiters);
        foreach (var waiter in waiters ?? [])
            waiter.TrySetResult();
    }

    private void FailWaiters(Exception failure)
    {
        List<TaskCompletionSource> waiters;
        lock (_lock)
        {
            waiters = [.. _waiters.Values.SelectMany(each => each)];
            _waiters.Clear();
        }

        foreach (var waiter in waiters)
            waiter.TrySetException(failure);
    }

    /// <summary>A commit has failed and is not repeated: the store cannot be used any more, or other hosts have taken over.</summary>
    private void CommitFailed(Exception failure)
    {
        if (failure is not WorkflowLeaseException)
        {
            FailWaiters(failure);
            return;
        }

        AbandonAll();
        NotifyAll();
    }

    private void AbandonAll()
    {
        List<WorkflowInstance> instances;
        lock (_lock)
            instances = [.. _instances.Values];
        foreach (var instance in instances)
            instance.TryEnqueue(instance.Abandon);
    }

    private void NotifyAll()
    {
        List<string> ids;
        lock (_lock)
            ids = [.. _waiters.Keys];
        foreach (var id in ids)
            NotifyEnded(id);
    }

    /// <summary>Another host has changed a workflow.</summary>
    private void Changed(string id)
    {
        try
        {
            List<WorkflowInstance> instances;
            lock (_lock)
                instances = id.Length == 0 ? [.. _instances.Values] : _instances.TryGetValue(id, out var known) ? [known] : [];
            foreach (var instance in instances)
                instance.TryEnqueue(instance.Refresh);
            if (id.Length == 0)
                NotifyAll();
            else
                NotifyEnded(id);
            if (instances.Count == 0 && id.Length > 0 && Store.Find(id) is { Status: WorkflowStatus.Running } record && Store.IsOwned(record))
                Wake(id);
        }
        catch (Exception failure) when (failure is WorkflowException or ObjectDisposedException)
        {
            // The next claim, or the notification about missed ones, repeats it.
            Log.ClaimFailed(Logger, failure);
        }
    }

    private void Claim()
    {
        if (IsStopping || Interlocked.Exchange(ref _isClaiming, 1) == 1)
            return;
        try
        {
            foreach (var id in Store.Claim())
                Wake(id);
        }
        catch (WorkflowLeaseException)
        {
            // The next commit registers this host again, and abandons the workflows that it has lost.
            Commits.Enqueue(new TimerRemoveWrite("", -1));
        }
        catch (Exception failure) when (failure is WorkflowException or ObjectDisposedException)
        {
            Log.ClaimFailed(Logger, failure);
        }
        finally
        {
            Volatile.Write(ref _isClaiming, 0);
        }
    }

    private void Fire(WorkflowTimer timer)
    {
        if (timer.IsRetry)
        {
            if (Wake(timer.WorkflowId) is { } instance)
                instance.TryEnqueue(() => instance.RetryStep(timer.Sequence));
            return;
        }

        var row = new HistoryRow { WorkflowId = timer.WorkflowId, Run = timer.Run, Kind = HistoryKind.TimerFired, Sequence = timer.Sequence, Name = timer.Name, At = Clock.Now };
        Commits.Enqueue(new AppendWrite(row)
        {
            Committed = write =>
            {
                if (((AppendWrite)write).Appended)
                    Deliver(row);
            },
        });
    }

    private async Task AttemptAsync(WorkflowInstance instance, WorkflowCommand command, StepExecution execution)
    {
        var started = Clock.Now;
        string? payload;
        HistoryKind kind;
        try
        {
            var json = await InvokeAsync(instance, command, execution).ConfigureAwait(false);
            (kind, payload) = execution.Call.Options.Checkpoint == false
                ? (HistoryKind.StepNotStored, null)
                : (HistoryKind.StepCompleted, Payloads.Store(json, $"The result of step '{command.Name}'"));
            execution.UnstoredResult = kind == HistoryKind.StepNotStored ? json : null;
        }
        catch (Exception failure)
        {
            if (IsStopping)
                return;
            if (execution.Cancellation.IsCancellationRequested)
            {
                instance.TryEnqueue(() => instance.EndAttempt(command));
                return;
            }

            if (execution.Call.Options.RetryDelay(failure, execution.Attempts) is { } delay)
            {
                WorkflowMetrics.Retries.Add(1);
                Log.StepRetried(Logger, command.Name, instance.Id, execution.Attempts, failure.Message, delay.TotalSeconds);
                StoreTimer(
                    new(instance.Id, instance.Record.Run, command.Sequence, true, command.Name, Clock.Now + delay, execution.Attempts), () => instance.TryEnqueue(() => instance.EndAttempt(command)));
                return;
            }

            (kind, payload) = (HistoryKind.StepFailed, WorkflowError.Of(failure).ToJson());
        }

        if (IsStopping)
            return;
        var ended = Clock.Now;
        WorkflowMetrics.Steps.Add(1, new KeyValuePair<string, object?>("outcome", kind == HistoryKind.StepFailed ? "failed" : "completed"));
        WorkflowMetrics.StepSeconds.Record((ended - started).TotalSeconds);
        var row = new HistoryRow
        {
            WorkflowId = instance.Id,
            Run = instance.Record.Run,
            Kind = kind,
            Sequence = command.Sequence,
            Name = command.Name,
            Payload = payload,
            Started = started,
            At = ended,
            Attempts = execution.Attempts,
            Metadata = execution.Call.Options.Metadata is { Count: > 0 } metadata ? JsonSerializer.Serialize(metadata) : null,
        };
        Append(instance, row, command);
    }

    private async Task RecomputeAsync(WorkflowInstance instance, WorkflowCommand command, StepExecution execution, Action<string?, Exception?> resume)
    {
        string? json = null;
        Exception? failure = null;
        try
        {
            json = await InvokeAsync(instance, command, execution).ConfigureAwait(false);
        }
        catch (Exception thrown)
        {
            failure = thrown;
        }

        if (!IsStopping)
            instance.TryEnqueue(() => resume(json, failure));
    }

    private async Task<string> InvokeAsync(WorkflowInstance instance, WorkflowCommand command, StepExecution execution)
    {
        var key = string.Create(CultureInfo.InvariantCulture, $"{instance.Id}/{instance.Record.Run}/{command.Sequence}");
        var value = await execution.Call.Start(Cluster, new(instance.Id, command.Name, key, Math.Max(1, execution.Attempts)), execution.Cancellation.Token).ConfigureAwait(false);
        if (value is ObjectRef reference)
            await ClusterHosting.WaitForAll(Cluster, [reference], null, execution.Cancellation.Token).ConfigureAwait(false);
        return Json.Write(value, execution.Call.ResultType, $"The result of step '{command.Name}'");
    }

    private void ChildStarted(WorkflowInstance parent, IChildCommand child, WorkflowRecord? existing)
    {
        if (existing is null)
        {
            WorkflowMetrics.Started.Add(1);
            Wake(child.Id);
            return;
        }

        if (existing.Parent != parent.Id || existing.ParentSequence != child.Sequence || existing.Name != child.Name)
        {
            FailChild(parent, child, new WorkflowExistsException($"Workflow '{child.Id}' exists already and was not started by this step of workflow '{parent.Id}'. Choose another id."));
            return;
        }

        switch (existing.Status)
        {
            case WorkflowStatus.Running:
                Wake(child.Id);
                break;
            case WorkflowStatus.Successful:
                Append(parent, HistoryRow.OfChild(parent.Record, child.Sequence, child.Name, HistoryKind.ChildCompleted, existing.Output, Clock.Now));
                break;
            case WorkflowStatus.Failed or WorkflowStatus.Canceled:
                // The parent was resumed and repeats this child.
                Commits.Enqueue(new ResumeWrite(child.Id) { Committed = _ => Wake(child.Id) });
                break;
        }
    }

    private void FailChild(WorkflowInstance parent, IChildCommand child, Exception failure) =>
        Append(parent, HistoryRow.OfChild(parent.Record, child.Sequence, child.Name, HistoryKind.ChildFailed, WorkflowError.Of(failure).ToJson(), Clock.Now));

    private async Task ResumeOpenAsync()
    {
        try
        {
            var after = "";
            while (!IsStopping && Store.ReadRunnable(after, ResumePage) is { Count: > 0 } page)
            {
                after = page[^1];
                var loads = page.Select(Wake).OfType<WorkflowInstance>().Select(instance => instance.Ask(_ => true));

                // A page at a time, so that the memory of many open workflows is bounded.
                await Task.WhenAny(Task.WhenAll(loads), Task.Delay(TimeSpan.FromSeconds(1), Options.TimeProvider, _stop.Token)).ConfigureAwait(false);
            }
        }
        catch (Exception failure) when (failure is WorkflowStorageException or ObjectDisposedException)
        {
            if (!IsStopping)
                Log.ResumeFailed(Logger, failure);
        }
    }

    private async Task PurgeAsync()
    {
        try
        {
            while (!IsStopping && Store.ReadEnded(Clock.Now - Options.KeepFinishedFor, ResumePage) is { Count: > 0 } ended)
                await Task.WhenAll(ended.Select(id => Commits.WriteAsync(new DeleteWrite(id)))).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is WorkflowStorageException or ObjectDisposedException)
        {
            if (!IsStopping)
                Log.PurgeFailed(Logger, failure);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(13020, LogLevel.Warning, "Attempt {Attempt} of step '{Step}' of workflow '{Id}' failed and is retried in {Seconds} s: {Reason}")]
        public static partial void StepRetried(ILogger logger, string step, string id, int attempt, string reason, double seconds);

        [LoggerMessage(13021, LogLevel.Error, "Timers of workflows could not be read; they are read again")]
        public static partial void TimersFailed(ILogger logger, Exception failure);

        [LoggerMessage(13022, LogLevel.Error, "Open workflows could not be listed; they are resumed at the next start of the host, or when an event arrives")]
        public static partial void ResumeFailed(ILogger logger, Exception failure);

        [LoggerMessage(13024, LogLevel.Warning, "Changes of other hosts could not be read; they are read again")]
        public static partial void ClaimFailed(ILogger logger, Exception failure);

        [LoggerMessage(13023, LogLevel.Error, "Ended workflows could not be deleted")]
        public static partial void PurgeFailed(ILogger logger, Exception failure);
    }
}
