using System.Diagnostics;

namespace Serve.Runtime.Tasks;

/// <summary>How it ends, is tried again, or is made to end.</summary>
internal abstract partial class SubmittedTask
{
    public void Cancel(bool force, bool recursive)
    {
        if (reference.IsReady)
            return;
        TaskExtras more;
        lock (this)
        {
            more = extras ??= new();
            more.IsCancelled = true;
        }

        Stopped(new OperationCanceledException($"{Label} was cancelled."), force);
        if (recursive)
            Dispatcher.CancelChildren(TaskId, force);
    }

    /// <summary>Fails the ref now; code that runs is told to stop, and its resources are given back when it has.</summary>
    public void Stopped(Exception failure, bool force)
    {
        if (!reference.TrySetException(failure))
            return;
        EndUnstarted(failure);
        if (Volatile.Read(ref phase) != Running)
            return;
        TaskExtras more;
        CancellationTokenSource? stop;
        lock (this)
        {
            more = extras ??= new();
            more.IsCancelled = true;
            stop = more.Stop;
        }

        // Async: what user code has registered runs elsewhere than on the thread of who cancels.
        _ = stop?.CancelAsync();
        if (force)
            more.Executor?.Kill(this);
    }

    /// <summary>Writes down what is known of it.</summary>
    public EndedTask Describe(TaskPhase state, long ended = 0, Exception? error = null) => new()
    {
        Id = TaskId.Number,
        Parent = parentNumber,
        Name = plan.Name,
        Function = plan.Function.Name,
        WorkerId = extras?.WorkerId,
        State = state,
        Attempt = Math.Max(1, attempt),
        Started = started,
        Ended = ended,
        Error = error,
    };

    /// <summary>Where it stands.</summary>
    public TaskPhase State => Volatile.Read(ref phase) switch
    {
        AwaitsArguments => TaskPhase.PendingArguments,
        Queued => TaskPhase.PendingScheduling,
        Running when started == 0 => TaskPhase.PendingScheduling,
        Running => IsWaiting || reference.Cluster.IsDisposed ? TaskPhase.Waiting : TaskPhase.Running,
        _ => TaskPhase.Finished,
    };

    /// <summary>The attempt has ended well; the ref is made ready after this.</summary>
    /// <returns>Whether its code left waits behind.</returns>
    protected bool End(long ended, Exception? error)
    {
        var wasWaiting = EndWaits();
        if (extras is { } more)
        {
            more.Timer?.Dispose();
            error = more.IsCancelled ? reference.Error ?? error : error;
        }

        Dispatcher.Log.Add(this, ended, error);
        Volatile.Write(ref phase, Over);
        Forget();
        return wasWaiting;
    }

    /// <summary>The attempt has failed: it is tried again, or the ref fails.</summary>
    protected bool Fail(Exception failure, bool isSystem)
    {
        var now = Stopwatch.GetTimestamp();
        if (slot is { } here)
            here.Clock = now;
        if (reference.IsReady || !RetriesOn(ref failure, isSystem))
        {
            var wasWaiting = End(now, failure);
            reference.TrySetException(failure);
            reference.Producer = null;
            return wasWaiting;
        }

        var waited = EndWaits();
        Requeue();
        return waited;
    }

    /// <summary>Queues it once more.</summary>
    private void Requeue()
    {
        lock (this)
        {
            extras?.Timer?.Dispose();
            if (extras is not null)
                (extras.Flow, extras.Executor, extras.WorkerId) = (null, null, null);
        }

        slot = null;
        started = 0;
        Volatile.Write(ref phase, Queued);
        plan.Queue.Add(this);
    }

    /// <summary>Ends it when it has not started.</summary>
    protected void EndUnstarted(Exception failure)
    {
        var before = Volatile.Read(ref phase);
        if (before is not (AwaitsArguments or Queued) || Interlocked.CompareExchange(ref phase, Over, before) != before)
            return;
        if (before == AwaitsArguments)
            Dispatcher.AwaitingArguments.TryRemove(TaskId.Number, out _);
        Dispatcher.Log.Add(this, Stopwatch.GetTimestamp(), failure);
        Forget();
        reference.TrySetException(failure);
        reference.Producer = null;
    }

    private bool RetriesOn(ref Exception failure, bool isSystem)
    {
        if (!MayRetry)
            return false;
        try
        {
            return isSystem || plan.RetriesOn(failure);
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
        var of = attempt;
        var timer = Dispatcher.Time.CreateTimer(
            _ =>
            {
                if (attempt == of)
                    TimeIsUp(limit);
            },
            null,
            limit,
            Timeout.InfiniteTimeSpan);
        lock (this)
            (extras ??= new()).Timer = timer;
    }

    private void TimeIsUp(TimeSpan limit)
    {
        Stopped(new RequestTimeoutException($"{Label} ran for longer than its timeout of {DurationText.Of(limit)}. It was told to stop by its cancellation token; raise TaskOptions.Timeout if it needs more."), force: false);
        Dispatcher.CancelChildren(TaskId, force: false);
    }

    private void ArgumentReady(ObjectRef? argument)
    {
        if (argument?.Error is { } failure)
            EndUnstarted(failure);
        if (Interlocked.Decrement(ref missing) != 0)
            return;
        Dispatcher.AwaitingArguments.TryRemove(TaskId.Number, out _);
        if (Interlocked.CompareExchange(ref phase, Queued, AwaitsArguments) == AwaitsArguments)
            plan.Queue.Add(this);
    }

    private sealed class Argument(SubmittedTask task, ObjectRef argument) : RefContinuation
    {
        internal override void Run() => task.ArgumentReady(argument);
    }
}
