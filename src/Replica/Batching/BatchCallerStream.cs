using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Serve.Replica.Batching;

/// <summary>
/// Result stream of one caller of a streaming batch. Bounded: a caller that reads too slowly loses its stream, since waiting for it would delay the other callers. Written by the
/// batch, read by the caller.
/// </summary>
internal sealed class BatchCallerStream<T>(Action onLeft)
{
    private const int MaxUnread = 1024;

    private readonly Channel<T> _items = Channel.CreateBounded<T>(new BoundedChannelOptions(MaxUnread)
    {
        FullMode = BoundedChannelFullMode.Wait,
        SingleReader = true,
        SingleWriter = true,
    });

    private int _left;

    /// <summary>Whether the stream has ended, or its caller has canceled.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Whether the caller still reads the stream.</summary>
    public bool IsRead => !IsClosed && Volatile.Read(ref _left) == 0;

    /// <summary>Reads the items; can be called once.</summary>
    public async IAsyncEnumerable<T> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        try
        {
            while (await _items.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                while (_items.Reader.TryRead(out var item))
                    yield return item;
            }
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Called when the caller stops reading. Idempotent.</summary>
    public void Leave()
    {
        if (Interlocked.Exchange(ref _left, 1) == 0)
            onLeft();
    }

    public void Write(BatchResult<T> step)
    {
        if (IsClosed || step.Kind == BatchResultKind.None)
            return;
        if (Volatile.Read(ref _left) != 0)
            Close(null);
        else if (step.Kind != BatchResultKind.Value)
            Close(step.Error);
        else if (!_items.Writer.TryWrite(step.Value))
            Close(new OverloadedException($"The stream was closed because {MaxUnread} of its items are unread; the other callers of the batch must not wait for them.", TimeSpan.FromSeconds(1)));
    }

    public void Close(Exception? error)
    {
        IsClosed = true;
        _items.Writer.TryComplete(error);
    }
}
