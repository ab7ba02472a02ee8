using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Serve.Replica.Batching;

/// <summary>
/// What one caller of a streaming batch reads. Bounded: a caller that reads so slowly that this many items lie unread loses its stream, since waiting for it would hold up its neighbours.
/// Written by the batch, read by the caller.
/// </summary>
internal sealed class BatchCallerStream<T>(Action onLeft)
{
    private const int MostUnread = 1024;

    private readonly Channel<T> _items = Channel.CreateBounded<T>(new BoundedChannelOptions(MostUnread)
    {
        FullMode = BoundedChannelFullMode.Wait,
        SingleReader = true,
        SingleWriter = true,
    });

    private int _left;

    /// <summary>Whether it takes no more: it has ended, or its caller has gone.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Whether somebody would see how it ends.</summary>
    public bool IsRead => !IsClosed && Volatile.Read(ref _left) == 0;

    /// <summary>The items; to be read once.</summary>
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

    /// <summary>The caller reads no more. Idempotent.</summary>
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
            Close(new OverloadedException($"{MostUnread} items of this stream lie unread; the others of its batch could not wait any longer.", TimeSpan.FromSeconds(1)));
    }

    public void Close(Exception? error)
    {
        IsClosed = true;
        _items.Writer.TryComplete(error);
    }
}
