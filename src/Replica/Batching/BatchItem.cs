using System.Threading.Tasks.Sources;

namespace Serve.Replica.Batching;

/// <summary>
/// One caller's item, and the promise of its result. Whoever ends it first wins: its batch or its caller's cancellation. Links of lists are the queue's, which owns the item until its batch
/// starts.
/// </summary>
internal sealed class BatchItem<TItem, TResult> : IValueTaskSource<TResult>
{
    private const int Waiting = 0;
    private const int Running = 1;
    private const int Ended = 2;

    private readonly BatchQueue<TItem, TResult> queue;
    private ManualResetValueTaskSourceCore<TResult> source;
    private CancellationTokenRegistration leaving;
    private int state;

    public BatchItem(BatchQueue<TItem, TResult> queue, TItem value, string? model, int size, long arrived)
    {
        this.queue = queue;
        (Value, Model, Size, Arrived) = (value, model, size, arrived);
        source.RunContinuationsAsynchronously = true;
    }

    public TItem Value { get; }

    public string? Model { get; }

    public int Size { get; }

    /// <summary>When it came, by the queue's clock.</summary>
    public long Arrived { get; }

    /// <summary>The next in whatever list it is in.</summary>
    public BatchItem<TItem, TResult>? Next { get; set; }

    /// <summary>Its batch, once it is in one. Written before the batch starts.</summary>
    public Batch<TItem, TResult>? Batch { get; set; }

    public bool HasEnded => Volatile.Read(ref state) == Ended;

    public ValueTask<TResult> Result => new(this, source.Version);

    /// <summary>Lets it leave when its caller goes.</summary>
    public void LeaveWith(CancellationToken cancellationToken) =>
        leaving = cancellationToken.UnsafeRegister(static (item, token) => ((BatchItem<TItem, TResult>)item!).Leave(token), this);

    /// <summary>Takes it into its batch, from where on leaving does not take it out.</summary>
    /// <returns>False when it has left.</returns>
    public bool TryStart() => Interlocked.CompareExchange(ref state, Running, Waiting) == Waiting;

    public bool TrySetResult(TResult result)
    {
        if (Interlocked.Exchange(ref state, Ended) == Ended)
            return false;
        leaving.Unregister();
        source.SetResult(result);
        return true;
    }

    public bool TrySetException(Exception thrown)
    {
        if (Interlocked.Exchange(ref state, Ended) == Ended)
            return false;
        leaving.Unregister();
        source.SetException(thrown);
        return true;
    }

    TResult IValueTaskSource<TResult>.GetResult(short token) => source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<TResult>.GetStatus(short token) => source.GetStatus(token);

    void IValueTaskSource<TResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        source.OnCompleted(continuation, state, token, flags);

    private void Leave(CancellationToken cancellationToken)
    {
        var was = Interlocked.Exchange(ref state, Ended);
        if (was == Ended)
            return;
        source.SetException(new OperationCanceledException(cancellationToken));
        if (was == Running)
            Batch!.Left();
        else
            queue.Left();
    }
}
