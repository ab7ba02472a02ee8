namespace Serve.Runtime.Tasks;

/// <summary>
/// Bounded buffer of stream items between the code of a streaming task, which adds them, and the loop that reads them. It ends with its completion reference.
/// Its state is written under its lock.
/// </summary>
public sealed class BufferedObjectRefStream<T> : ObjectRefStream<T>
{
    private readonly ObjectRef<T> _completion;
    private readonly int _capacity;
    private readonly Action _cancel;
    private readonly Lock _sync = new();
    private readonly Queue<ObjectRef<T>> _items = new();
    private TaskCompletionSource? _room;
    private TaskCompletionSource? _news;
    private int _isRead;

    /// <summary>Creates an empty buffer.</summary>
    /// <param name="completion">Completed when the task ends.</param>
    /// <param name="capacity">Number of unread items at which the producer waits; with 0 until the reader asks for the next item.</param>
    /// <param name="cancel">Called when the reader leaves its loop early.</param>
    public BufferedObjectRefStream(ObjectRef<T> completion, int capacity, Action cancel)
    {
        _completion = completion;
        _capacity = capacity;
        _cancel = cancel;
        var end = new StreamCompletionContinuation(this);
        if (!completion.TryAddContinuation(end))
            Wake();
    }

    public override ObjectRef Completion => _completion;

    /// <summary>Total number of items added.</summary>
    public long Count { get; private set; }

    /// <summary>Adds an item.</summary>
    /// <returns>Task that completes when the producer may continue.</returns>
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
            throw new InvalidOperationException("A stream can be enumerated only once.");
        var ended = false;
        try
        {
            while (true)
            {
                // Checked here too, because the loop may never wait.
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
                (freed, _room) = (_room, null);
            }
            else if (_items.Count < _capacity)
            {
                (freed, _room) = (_room, null);
            }
        }

        freed?.TrySetResult();
        return item is not null;
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
