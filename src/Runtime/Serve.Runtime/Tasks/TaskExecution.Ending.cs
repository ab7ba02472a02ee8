using System.Diagnostics;

namespace Serve.Runtime.Tasks;

/// <content>Completion, retry and cancellation.</content>
internal abstract partial class TaskExecution
{
    public void Cancel(bool force, bool recursive)
    {
        if (reference.IsReady)
            return;
        TaskExecutionExtras more;
        lock (this)
        {
            more = _extras ??= new();
            more.IsCancelled = true;
        }

        FailAndStop(new OperationCanceledException($"{Label} was canceled."), force);
        if (recursive)
            Dispatcher.CancelChildren(TaskId, force);
    }

    /// <summary>Fails the reference immediately and cancels running code; its resources are released when the code has returned.</summary>
    public void FailAndStop(Exception failure, bool force)
    {
        if (!reference.TrySetException(failure))
            return;
        FailUnstarted(failure);
        if (Volatile.Read(ref _phase) != Running)
            return;
        TaskExecutionExtras more;
        CancellationTokenSource? stop;
        lock (this)
        {
            more = _extras ??= new();
            more.IsCancelled = true;
            stop = more.Stop;
        }

        // Asynchronous: callbacks registered by user code must not run on the canceling thread.
        _ = stop?.CancelAsync();
        if (force)
            more.Executor?.Kill(this);
        else if (!Dispatcher.IsDisposed)
            CanceledCodeWatch.Start(this, Dispatcher);
    }

    /// <summary>Whether the code of an attempt still runs.</summary>
    public bool IsRunningAttempt(int attempt) => Volatile.Read(ref _phase) == Running && _attempt == attempt;

    /// <summary>Executor that runs the task in a worker; null if it runs in this process.</summary>
    public ITaskExecutor? Executor => _extras?.Executor;

    /// <summary>Creates a record of the task for listings and the log.</summary>
    public FinishedTaskRecord CreateRecord(TaskPhase state, long ended = 0, Exception? error = null) => new()
    {
        Id = TaskId.Number,
        Parent = _parentNumber,
        Name = plan.Name,
        Function = plan.Function.Name,
        WorkerId = _extras?.WorkerId,
        State = state,
        Attempt = Math.Max(1, _attempt),
        Started = _started,
        Ended = ended,
        Error = error,
    };

    /// <summary>Current phase of the task.</summary>
    public TaskPhase State => Volatile.Read(ref _phase) switch
    {
        AwaitsArguments => TaskPhase.PendingArguments,
        Queued => TaskPhase.PendingScheduling,
        Running when _started == 0 => TaskPhase.PendingScheduling,
        Running => IsWaiting || reference.Cluster.IsDisposed ? TaskPhase.Waiting : TaskPhase.Running,
        _ => TaskPhase.Finished,
    };

    /// <summary>Finishes the attempt; the caller completes the reference afterwards.</summary>
    /// <returns>Whether the code left waits behind.</returns>
    protected bool Finish(long ended, Exception? error)
    {
        var wasWaiting = ClearWaits();
        if (_extras is { } more)
        {
            more.Timer?.Dispose();
            error = more.IsCancelled ? reference.Error ?? error : error;
        }

        Dispatcher.FinishedTasks.Add(this, ended, error);
        Volatile.Write(ref _phase, Finished);
        ReleaseArguments();
        return wasWaiting;
    }

    /// <summary>Retries the failed attempt, or fails the reference.</summary>
    protected bool Fail(Exception failure, bool isSystem)
    {
        var now = Stopwatch.GetTimestamp();
        if (_slot is { } here)
            here.LastEndTimestamp = now;
        if (reference.IsReady || !ShouldRetry(ref failure, isSystem))
        {
            var wasWaiting = Finish(now, failure);
            reference.TrySetException(failure);
            reference.Producer = null;
            return wasWaiting;
        }

        var waited = ClearWaits();
        Requeue();
        return waited;
    }

    /// <summary>Enqueues the task for another attempt.</summary>
    private void Requeue()
    {
        lock (this)
        {
            _extras?.Timer?.Dispose();
            if (_extras is not null)
                (_extras.AsyncCode, _extras.Executor, _extras.WorkerId) = (null, null, null);
        }

        _slot = null;
        _started = 0;
        Volatile.Write(ref _phase, Queued);
        plan.Queue.Enqueue(this);
    }

    /// <summary>Fails the task if it has not started.</summary>
    protected void FailUnstarted(Exception failure)
    {
        var before = Volatile.Read(ref _phase);
        if (before is not (AwaitsArguments or Queued) || Interlocked.CompareExchange(ref _phase, Finished, before) != before)
            return;
        if (before == AwaitsArguments)
            Dispatcher.AwaitingArguments.TryRemove(TaskId.Number, out _);
        Dispatcher.FinishedTasks.Add(this, Stopwatch.GetTimestamp(), failure);
        ReleaseArguments();
        reference.TrySetException(failure);
        reference.Producer = null;
    }

    private bool ShouldRetry(ref Exception failure, bool isSystem)
    {
        if (!MayRetry)
            return false;
        try
        {
            return isSystem || plan.ShouldRetry(failure);
        }
        catch (Exception thrown)
        {
            // The user's RetryOn predicate failed: both exceptions are reported.
            failure = new UserCodeException(new AggregateException($"RetryOn of {Label} threw an exception.", thrown, failure));
            return false;
        }
    }

    private void StartTimer()
    {
        var limit = plan.Timeout!.Value;
        var of = _attempt;
        var timer = Dispatcher.Time.CreateTimer(
            _ =>
            {
                if (_attempt == of)
                    OnTimeout(limit);
            },
            null,
            limit,
            Timeout.InfiniteTimeSpan);
        lock (this)
            (_extras ??= new()).Timer = timer;
    }

    private void OnTimeout(TimeSpan limit)
    {
        FailAndStop(new RequestTimeoutException($"{Label} exceeded its timeout of {DurationTextFormat.Of(limit)} and was canceled through its cancellation token. Raise TaskOptions.Timeout if it needs more time."), force: false);
        Dispatcher.CancelChildren(TaskId, force: false);
    }

    private void OnArgumentReady(ObjectRef? argument)
    {
        if (argument?.Error is { } failure)
            FailUnstarted(failure);
        if (Interlocked.Decrement(ref _missing) != 0)
            return;
        Dispatcher.AwaitingArguments.TryRemove(TaskId.Number, out _);
        if (Interlocked.CompareExchange(ref _phase, Queued, AwaitsArguments) == AwaitsArguments)
            plan.Queue.Enqueue(this);
    }

    private sealed class PendingArgumentContinuation(TaskExecution task, ObjectRef argument) : ObjectRefContinuation
    {
        public override void Run() => task.OnArgumentReady(argument);
    }
}
