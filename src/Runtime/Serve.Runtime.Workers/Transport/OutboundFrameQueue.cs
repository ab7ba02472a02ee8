using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Transport;

/// <summary>
/// Writes frames to the peer, in order. Frames that are queued while one message is written go out together as the next message, so that their cost is
/// shared under load and no frame waits when there is little.
/// </summary>
/// <remarks>
/// The queue is bounded by <see cref="Capacity"/>. <see cref="Send"/> ignores the bound: it is for acknowledgements and frames whose number is
/// limited by the requests that the peer has outstanding, and it is what reading loops use, so that two peers never wait for each other.
/// <see cref="SendOrWait"/> and <see cref="SendAsync"/> wait until the queue has room: they are for what user code produces (submitted tasks, stored
/// objects, printed lines, calls in both directions and their results), which must not outrun the peer. State is written under the lock.
/// </remarks>
internal sealed class OutboundFrameQueue : IThreadPoolWorkItem
{
    /// <summary>Estimated bytes that may wait before producers are held back; they continue at half of it.</summary>
    public const int Capacity = 4 << 20;

    private const int MaxFramesPerMessage = 512;
    private const int MaxBytesPerMessage = 1 << 20;

    private readonly FrameStream _output;
    private readonly Lock _sync = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Queue<(Frame Frame, int Weight)> _queue = new();
    private readonly Frames _message = new();
    private TaskCompletionSource? _room;
    private long _queuedBytes;
    private bool _isWriting;
    private bool _isClosed;

    public OutboundFrameQueue(FrameStream output)
    {
        _output = output;
        TransportMetrics.Add(this);
    }

    /// <summary>Completes when the frames sent before <see cref="Close"/> are written, or cannot be.</summary>
    public Task Drained => _drained.Task;

    public bool IsClosed
    {
        get
        {
            lock (_sync)
                return _isClosed;
        }
    }

    /// <summary>Estimated bytes of the frames that wait.</summary>
    public long QueuedBytes
    {
        get
        {
            lock (_sync)
                return _queuedBytes;
        }
    }

    /// <summary>Queues a frame, whatever waits already.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="writeNow">Whether this thread writes it if no other is writing: saves the switch to another thread where latency matters more than this thread's time.</param>
    /// <returns>False if the connection is closed; the frame is dropped.</returns>
    public bool Send(Frame frame, bool writeNow = false)
    {
        lock (_sync)
        {
            if (_isClosed)
                return false;
            Enqueue(frame);
            if (_isWriting)
                return true;
            _isWriting = true;
        }

        if (writeNow)
            _ = WriteAsync(onCaller: true);
        else
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return true;
    }

    /// <summary>Queues a frame; blocks this thread while the queue is full.</summary>
    /// <returns>False if the connection is closed; the frame is dropped.</returns>
    public bool SendOrWait(Frame frame)
    {
        while (FindRoom() is { } room)
            room.Wait();
        return Send(frame);
    }

    /// <summary>Queues a frame as soon as the queue has room, and writes it on this thread if no other is writing.</summary>
    /// <returns>False if the connection is closed; the frame is dropped.</returns>
    public ValueTask<bool> SendAsync(Frame frame, CancellationToken cancellationToken) =>
        FindRoom() is { } room ? SendLaterAsync(room, frame, cancellationToken) : new(Send(frame, writeNow: true));

    /// <summary>Accepts no more frames.</summary>
    /// <param name="discard">Whether waiting frames are dropped because the peer no longer reads.</param>
    public void Close(bool discard)
    {
        TaskCompletionSource? room;
        lock (_sync)
        {
            _isClosed = true;
            if (discard)
            {
                _queue.Clear();
                _queuedBytes = 0;
            }

            (room, _room) = (_room, null);
            if (!_isWriting)
                _drained.TrySetResult();
        }

        room?.TrySetResult();
        TransportMetrics.Remove(this);
    }

    void IThreadPoolWorkItem.Execute() => _ = WriteAsync(onCaller: false);

    private async ValueTask<bool> SendLaterAsync(Task room, Frame frame, CancellationToken cancellationToken)
    {
        for (Task? next = room; next is not null; next = FindRoom())
            await next.WaitAsync(cancellationToken).ConfigureAwait(false);
        return Send(frame, writeNow: true);
    }

    /// <summary>Null if there is room, or the connection is closed; otherwise completes when it is worth trying again.</summary>
    private Task? FindRoom()
    {
        Task room;
        lock (_sync)
        {
            if (_queuedBytes < Capacity || _isClosed)
                return null;
            room = (_room ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        TransportMetrics.OnProducerHeldBack();
        return room;
    }

    private async Task WriteAsync(bool onCaller)
    {
        try
        {
            while (TakeMessage() is { } message)
            {
                await _output.WriteAsync(message).ConfigureAwait(false);
                if (!onCaller || !HasMore())
                    continue;
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                return;
            }
        }
        catch (Exception)
        {
            // The stream is broken; the reading end of the connection finds out why and reports it.
            lock (_sync)
                _isWriting = false;
            Close(discard: true);
        }
    }

    private bool HasMore()
    {
        lock (_sync)
            return _queue.Count > 0;
    }

    private Frames? TakeMessage()
    {
        TaskCompletionSource? room = null;
        lock (_sync)
        {
            _message.Frames_.Clear();
            if (_queue.Count == 0)
            {
                _isWriting = false;
                if (_isClosed)
                    _drained.TrySetResult();
                return null;
            }

            long bytes = 0;
            while (_message.Frames_.Count < MaxFramesPerMessage && bytes < MaxBytesPerMessage && _queue.TryDequeue(out var next))
            {
                _message.Frames_.Add(next.Frame);
                bytes += next.Weight;
            }

            _queuedBytes -= bytes;
            if (_queuedBytes < Capacity / 2)
                (room, _room) = (_room, null);
        }

        room?.TrySetResult();
        return _message;
    }

    // Under the lock.
    private void Enqueue(Frame frame)
    {
        var weight = FrameWeight.Of(frame);
        _queue.Enqueue((frame, weight));
        _queuedBytes += weight;
    }
}
