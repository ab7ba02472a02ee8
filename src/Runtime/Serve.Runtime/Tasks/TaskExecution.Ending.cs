using System.Diagnostics;

namespace Serve.Runtime.Tasks;

/// <summary>How it ends, is tried again, or is made to end.</summary>
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

        FailAndStop(new OperationCanceledException($"{Label} was cancelled."), force);
        if (recursive)
            Dispatcher.CancelChildren(TaskId, force);
    }

    /// <summary>Fails the ref now; code that runs is told to stop, and its resources are given back when it has.</summary>
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

        // Async: what user code has registered runs elsewhere than on the thread of who cancels.
        _ = stop?.CancelAsync();
        if (force)
            more.Executor?.Kill(this);
    }

    /// <summary>Writes down what is known of it.</summary>
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

    /// <summary>Where it stands.</summary>
    public TaskPhase State => Volatile.Read(ref _phase) switch
    {
        AwaitsArguments => TaskPhase.PendingArguments,
        Queued => TaskPhase.PendingScheduling,
        Running when _started == 0 => TaskPhase.PendingScheduling,
        Running => IsWaiting || reference.Cluster.IsDisposed ? TaskPhase.Waiting : TaskPhase.Running,
        _ => TaskPhase.Finished,
    };

    /// <summary>The attempt has ended well; the ref is made ready after this.</summary>
    /// <returns>Whether its code left waits behind.</returns>
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

    /// <summary>The attempt has failed: it is tried again, or the ref fails.</summary>
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

    /// <summary>Queues it once more.</summary>
    private void Requeue()
    {
        lock (this)
        {
            _extras?.Timer?.Dispose();
            if (_extras is not null)
                (_extras.Flow, _extras.Executor, _extras.WorkerId) = (null, null, null);
        }

        _slot = null;
        _started = 0;
        Volatile.Write(ref _phase, Queued);
        plan.Queue.Enqueue(this);
    }

    /// <summary>Ends it when it has not started.</summary>
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
            // The user's own choice of what to retry on failed: that is told with what it was asked about.
            failure = new UserCodeException(new AggregateException($"RetryOn of {Label} threw.", thrown, failure));
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
        FailAndStop(new RequestTimeoutException($"{Label} ran for longer than its timeout of {DurationTextFormat.Of(limit)}. It was told to stop by its cancellation token; raise TaskOptions.Timeout if it needs more."), force: false);
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
