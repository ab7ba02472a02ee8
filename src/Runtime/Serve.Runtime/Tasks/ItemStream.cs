namespace Serve.Runtime.Tasks;

/// <summary>
/// The items of a streaming task or call between its code, which adds them and waits when too many lie unread, and the one loop that reads them.
/// Its end is that of its completion ref. Its state is written under its lock.
/// </summary>
internal sealed class ItemStream<T> : ObjectRefStream<T>
{
    private const int DefaultCapacity = 16;

    private readonly ObjectRef<T> completion;
    private readonly int capacity;
    private readonly Action cancel;
    private readonly Lock sync = new();
    private readonly Queue<ObjectRef<T>> items = new();
    private TaskCompletionSource? room;
    private TaskCompletionSource? news;
    private int isRead;

    /// <summary>Starts empty.</summary>
    /// <param name="completion">Made ready when the task ends.</param>
    /// <param name="capacity">How many items may lie unread; null for 16.</param>
    /// <param name="cancel">Called when the loop is left early.</param>
    public ItemStream(ObjectRef<T> completion, int? capacity, Action cancel)
    {
        this.completion = completion;
        this.capacity = Math.Max(1, capacity ?? DefaultCapacity);
        this.cancel = cancel;
        var end = new End(this);
        if (!completion.TryOnReady(end))
            Wake();
    }

    public override ObjectRef Completion => completion;

    /// <summary>How many were added in all.</summary>
    public long Count { get; private set; }

    /// <summary>Adds an item; completes when the task may go on to the next.</summary>
    public Task AddAsync(ObjectRef<T> item)
    {
        Task wait;
        lock (sync)
        {
            items.Enqueue(item);
            Count++;
            if (items.Count < capacity || completion.IsReady)
                wait = Task.CompletedTask;
            else
                wait = (room ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        Wake();
        return wait;
    }

    public override async IAsyncEnumerator<ObjectRef<T>> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref isRead, 1) != 0)
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
                await ContextWait.WaitAsync(waiting, cancellationToken);
            }

            ended = true;
            if (completion.Error is not null)
                _ = completion.Result;
        }
        finally
        {
            if (!ended)
                cancel();
        }
    }

    private bool TryTake(out ObjectRef<T> item, out Task? waiting)
    {
        TaskCompletionSource? freed = null;
        waiting = null;
        lock (sync)
        {
            if (!items.TryDequeue(out item!))
            {
                if (!completion.IsReady)
                    waiting = (news ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
                return false;
            }

            if (items.Count < capacity)
                (freed, room) = (room, null);
        }

        freed?.TrySetResult();
        return true;
    }

    private void Wake()
    {
        TaskCompletionSource? told;
        TaskCompletionSource? freed = null;
        lock (sync)
        {
            (told, news) = (news, null);
            if (completion.IsReady)
                (freed, room) = (room, null);
        }

        told?.TrySetResult();
        freed?.TrySetResult();
    }

    private sealed class End(ItemStream<T> stream) : RefContinuation
    {
        internal override void Run() => stream.Wake();
    }
}
