namespace Serve.Runtime.Tasks;

/// <summary>
/// The items of a streaming task or call between its code, which adds them and waits when too many lie unread, and the one loop that reads them.
/// Its end is that of its completion ref. Its state is written under its lock.
/// </summary>
internal sealed class BufferedObjectRefStream<T> : ObjectRefStream<T>
{
    private const int DefaultCapacity = 16;

    private readonly ObjectRef<T> _completion;
    private readonly int _capacity;
    private readonly Action _cancel;
    private readonly Lock _sync = new();
    private readonly Queue<ObjectRef<T>> _items = new();
    private TaskCompletionSource? _room;
    private TaskCompletionSource? _news;
    private int _isRead;

    /// <summary>Starts empty.</summary>
    /// <param name="completion">Made ready when the task ends.</param>
    /// <param name="capacity">How many items may lie unread; null for 16.</param>
    /// <param name="cancel">Called when the loop is left early.</param>
    public BufferedObjectRefStream(ObjectRef<T> completion, int? capacity, Action cancel)
    {
        this._completion = completion;
        this._capacity = Math.Max(1, capacity ?? DefaultCapacity);
        this._cancel = cancel;
        var end = new StreamCompletionContinuation(this);
        if (!completion.TryAddContinuation(end))
            Wake();
    }

    public override ObjectRef Completion => _completion;

    /// <summary>How many were added in all.</summary>
    public long Count { get; private set; }

    /// <summary>Adds an item; completes when the task may go on to the next.</summary>
    public Task AddAsync(ObjectRef<T> item)
    {
        Task wait;
        lock (_sync)
        {
            _items.Enqueue(item);
            Count++;
            if (_items.Count < _capacity || _completion.IsReady)
                wait = Task.CompletedTask;
            else
                wait = (_room ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        Wake();
        return wait;
    }

    public override async IAsyncEnumerator<ObjectRef<T>> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _isRead, 1) != 0)
            throw new InvalidOperationException("A stream can be read once.");
        var ended = false;
        try
        {
            while (true)
            {
                // Also while there is always another one.
                cancellationToken.ThrowIfCancellationRequested();
                if (TryTake(out var item, out var waiting))
                {
                    yield return item;
                    continue;
                }

                if (waiting is null)
                    break;
                await CpuReleasingWait.WaitAsync(waiting, cancellationToken);
            }

            ended = true;
            if (_completion.Error is not null)
                _ = _completion.Result;
        }
        finally
        {
            if (!ended)
                _cancel();
        }
    }

    private bool TryTake(out ObjectRef<T> item, out Task? waiting)
    {
        TaskCompletionSource? freed = null;
        waiting = null;
        lock (_sync)
        {
            if (!_items.TryDequeue(out item!))
            {
                if (!_completion.IsReady)
                    waiting = (_news ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
                return false;
            }

            if (_items.Count < _capacity)
                (freed, _room) = (_room, null);
        }

        freed?.TrySetResult();
        return true;
    }

    private void Wake()
    {
        TaskCompletionSource? told;
        TaskCompletionSource? freed = null;
        lock (_sync)
        {
            (told, _news) = (_news, null);
            if (_completion.IsReady)
                (freed, _room) = (_room, null);
        }

        told?.TrySetResult();
        freed?.TrySetResult();
    }

    private sealed class StreamCompletionContinuation(BufferedObjectRefStream<T> stream) : ObjectRefContinuation
    {
        public override void Run() => stream.Wake();
    }
}
