using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Transport;

/// <summary>
/// Writes frames to the other side of a session, in order: whatever was queued while one message was written goes out as the next, so that the
/// cost of a message is shared when there is much to say and nothing waits when there is little. Its state is written under its lock.
/// </summary>
internal sealed class OutboundFrameQueue(FrameStream output) : IThreadPoolWorkItem
{
    private const int MaxFrames = 512;
    private const int MaxBytes = 1 << 20;

    private readonly Lock _sync = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Queue<Frame> _queue = new();
    private bool _writing;
    private bool _closed;

    /// <summary>Completes when what was sent before <see cref="Close"/> is written, or cannot be.</summary>
    public Task Drained => _drained.Task;

    public bool IsClosed
    {
        get
        {
            lock (_sync)
                return _closed;
        }
    }

    /// <summary>Queues a frame. False when the session is over: nobody will ever see it.</summary>
    public bool Send(Frame frame)
    {
        lock (_sync)
        {
            if (_closed)
                return false;
            _queue.Enqueue(frame);
            if (_writing)
                return true;
            _writing = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return true;
    }

    /// <summary>Takes no more frames.</summary>
    /// <param name="discard">Whether those that wait are dropped, since nobody reads them.</param>
    public void Close(bool discard)
    {
        lock (_sync)
        {
            _closed = true;
            if (discard)
                _queue.Clear();
            if (!_writing)
                _drained.TrySetResult();
        }
    }

    async void IThreadPoolWorkItem.Execute()
    {
        try
        {
            while (Take() is { } message)
                await output.WriteAsync(message).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The stream is broken; its reading side finds out why and tells.
            lock (_sync)
                _writing = false;
            Close(discard: true);
        }
    }

    private Frames? Take()
    {
        lock (_sync)
        {
            if (_queue.Count == 0)
            {
                _writing = false;
                if (_closed)
                    _drained.TrySetResult();
                return null;
            }

            var message = new Frames();
            var bytes = 0;
            while (message.Frames_.Count < MaxFrames && bytes < MaxBytes && _queue.TryDequeue(out var frame))
            {
                message.Frames_.Add(frame);
                bytes += WeightOf(frame);
            }

            return message;
        }
    }

    private static int WeightOf(Frame frame) => frame.BodyCase switch
    {
        Frame.BodyOneofCase.Run => frame.Run.Arguments.Sum(WeightOf),
        Frame.BodyOneofCase.Submit => frame.Submit.Arguments.Sum(WeightOf),
        Frame.BodyOneofCase.CreateActor => frame.CreateActor.Arguments.Sum(WeightOf),
        Frame.BodyOneofCase.Done => frame.Done.Value is { } done ? WeightOf(done) : 0,
        Frame.BodyOneofCase.Item => frame.Item.Value is { } item ? WeightOf(item) : 0,
        Frame.BodyOneofCase.Ready => frame.Ready.Value is { } ready ? WeightOf(ready) : 0,
        Frame.BodyOneofCase.Put => frame.Put.Value is { } put ? WeightOf(put) : 0,
        _ => 0,
    };

    private static int WeightOf(Value value) => value.ContentCase switch
    {
        Value.ContentOneofCase.Inline => value.Inline.Length,
        Value.ContentOneofCase.Items => value.Items.Values.Sum(WeightOf),
        _ => 0,
    };
}
