using System.Threading.Tasks.Sources;
using Serve.Calls;

namespace Serve.Replica.Batching;

/// <summary>
/// One caller's item, and the source of its result. It ends once: by its batch or by cancellation, whichever comes first. Its list links belong to the queue until its batch starts.
/// </summary>
internal sealed class QueuedBatchItem<TItem, TResult> : IValueTaskSource<TResult>
{
    private const int Waiting = 0;
    private const int Running = 1;
    private const int Ended = 2;

    private readonly BatchQueue<TItem, TResult> _queue;
    private ManualResetValueTaskSourceCore<TResult> _source;
    private CancellationTokenRegistration _leaving;
    private int _state;

    public QueuedBatchItem(BatchQueue<TItem, TResult> queue, TItem value, string? model, CallUrgency urgency, int size, long arrived)
    {
        _queue = queue;
        (Value, Model, Urgency, Size, Arrived) = (value, model, urgency, size, arrived);
        _source.RunContinuationsAsynchronously = true;
    }

    public TItem Value { get; }

    public string? Model { get; }

    /// <summary>Deadline and priority.</summary>
    public CallUrgency Urgency { get; }

    public int Size { get; }

    /// <summary>Arrival time in ticks of the queue's clock.</summary>
    public long Arrived { get; }

    /// <summary>Next element of the intrusive list.</summary>
    public QueuedBatchItem<TItem, TResult>? Next { get; set; }

    /// <summary>The item's batch; set before the batch starts.</summary>
    public DispatchedBatch<TItem, TResult>? Batch { get; set; }

    public bool HasEnded => Volatile.Read(ref _state) == Ended;

    public ValueTask<TResult> Result => new(this, _source.Version);

    /// <summary>Registers the cancellation of the caller.</summary>
    public void LeaveWith(CancellationToken cancellationToken) =>
        _leaving = cancellationToken.UnsafeRegister(static (item, token) => ((QueuedBatchItem<TItem, TResult>)item!).Leave(token), this);

    /// <summary>Starts the item as part of its batch; cancellation does not remove it any more.</summary>
    /// <returns>False if it was canceled.</returns>
    public bool TryStart() => Interlocked.CompareExchange(ref _state, Running, Waiting) == Waiting;

    public bool TrySetResult(TResult result)
    {
        if (Interlocked.Exchange(ref _state, Ended) == Ended)
            return false;
        _leaving.Unregister();
        _source.SetResult(result);
        return true;
    }

    public bool TrySetException(Exception thrown)
    {
        if (Interlocked.Exchange(ref _state, Ended) == Ended)
            return false;
        _leaving.Unregister();
        _source.SetException(thrown);
        return true;
    }

    TResult IValueTaskSource<TResult>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<TResult>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<TResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private void Leave(CancellationToken cancellationToken)
    {
        var was = Interlocked.Exchange(ref _state, Ended);
        if (was == Ended)
            return;
        _source.SetException(new OperationCanceledException(cancellationToken));
        if (was == Running)
            Batch!.Left();
        else
            _queue.Left();
    }
}
