using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Google.Protobuf;
using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Connections;

/// <summary>A connection to another process ended while a call or a query was on it.</summary>
/// <param name="mayHaveStarted">False if the other process certainly never received it.</param>
/// <param name="message">What happened.</param>
/// <param name="inner">The failed read, write or connect.</param>
internal sealed class ConnectionLostException(bool mayHaveStarted, string message, Exception? inner = null) : IOException(message, inner)
{
    public bool MayHaveStarted => mayHaveStarted;
}

/// <summary>
/// The calling end of a connection between two processes: sends calls to the actors that the other process hosts, and a node's queries to its worker, and
/// matches the replies by number. Any number of calls is under way at once. The table of pending replies is written by callers and by the reading loop.
/// </summary>
internal sealed class ProcessConnection : IDisposable
{
    /// <summary>Items of a stream that may be under way and not consumed.</summary>
    private const int StreamWindow = 32;

    private readonly FrameStream _stream;
    private readonly OutboundFrameQueue _outbound;
    private readonly ConcurrentDictionary<long, IPendingReply> _pending = new();
    private long _lastId;
    private volatile bool _isClosed;

    private ProcessConnection(FrameStream stream)
    {
        _stream = stream;
        _outbound = new(stream);
        _ = ReadAsync();
    }

    private interface IPendingReply
    {
        void OnItem(Item item);

        void OnDone(Done done);

        void OnLost(ConnectionLostException lost);
    }

    /// <summary>Whether calls can no longer be sent.</summary>
    public bool IsClosed => _isClosed;

    /// <exception cref="ConnectionLostException">The process cannot be reached or rejected the token.</exception>
    public static async Task<ProcessConnection> ConnectAsync(string address, string token, CancellationToken cancellationToken)
    {
        try
        {
            return new(await FrameSocketTransport.ConnectAsync(address, token, ConnectionPurpose.ActorHost, cancellationToken).ConfigureAwait(false));
        }
        catch (IOException thrown)
        {
            throw new ConnectionLostException(mayHaveStarted: false, thrown.Message, thrown);
        }
    }

    /// <summary>Calls a method with one result.</summary>
    /// <param name="run">The call; its number is assigned here.</param>
    /// <param name="cancellationToken">Cancels the call in the other process; this method then throws without waiting for it.</param>
    /// <exception cref="ConnectionLostException">The connection ended before the reply.</exception>
    public Task<Done> CallAsync(Run run, CancellationToken cancellationToken)
    {
        run.Id = NextId();
        return SendAsync(run.Id, new Frame { Run = run }, cancellationToken);
    }

    /// <summary>Calls a method that streams its results. Leaving the enumeration early cancels the call.</summary>
    /// <exception cref="ConnectionLostException">The connection ended before the stream.</exception>
    public IAsyncEnumerable<Value> StreamAsync(Run run, CancellationToken cancellationToken)
    {
        run.Id = NextId();
        run.Stream = true;
        run.Window = StreamWindow;
        return ReadStreamAsync(run.Id, new Frame { Run = run }, cancellationToken);
    }

    /// <summary>Sends a query that has one answer.</summary>
    /// <param name="kind">One of <see cref="NodeQueryKinds"/>.</param>
    /// <param name="body">Its JSON.</param>
    /// <param name="payload">Bytes that travel as they are.</param>
    /// <param name="cancellationToken">As in <see cref="CallAsync"/>.</param>
    /// <exception cref="ConnectionLostException">The connection ended before the answer.</exception>
    public async Task<ReadOnlyMemory<byte>> QueryAsync(string kind, ReadOnlyMemory<byte> body, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        var id = NextId();
        var done = await SendAsync(id, CreateQuery(id, kind, body, payload, isStream: false), cancellationToken).ConfigureAwait(false);
        return done.Error is { } error ? throw WireExceptionConverter.FromWire(error) : done.Value?.Inline.Memory ?? default;
    }

    /// <summary>Sends a query whose answer is a stream.</summary>
    /// <exception cref="ConnectionLostException">The connection ended.</exception>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> QueryStreamAsync(string kind, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var id = NextId();
        await foreach (var value in ReadStreamAsync(id, CreateQuery(id, kind, default, default, isStream: true), cancellationToken).ConfigureAwait(false))
            yield return value.Inline.Memory;
    }

    public void Dispose()
    {
        _isClosed = true;
        _outbound.Close(discard: true);
        _stream.Dispose();
    }

    private static Frame CreateQuery(long id, string kind, ReadOnlyMemory<byte> body, ReadOnlyMemory<byte> payload, bool isStream) => new()
    {
        Question = new()
        {
            Number = id,
            Kind = kind,
            Body = UnsafeByteOperations.UnsafeWrap(body),
            Payload = UnsafeByteOperations.UnsafeWrap(payload),
            Window = isStream ? StreamWindow : 0,
        },
    };

    private static ConnectionLostException NotSent() => new(mayHaveStarted: false, "The connection to the process was closed.");

    private long NextId() => Interlocked.Increment(ref _lastId);

    private Task<Done> SendAsync(long id, Frame frame, CancellationToken cancellationToken)
    {
        var reply = new PendingReply();
        _pending[id] = reply;
        return AwaitReplyAsync(id, reply, _outbound.SendAsync(frame, cancellationToken), cancellationToken);
    }

    private async Task<Done> AwaitReplyAsync(long id, PendingReply reply, ValueTask<bool> sent, CancellationToken cancellationToken)
    {
        try
        {
            await RequireSentAsync(id, sent).ConfigureAwait(false);
            return await reply.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Cancel(id);
            throw;
        }
        finally
        {
            _pending.TryRemove(id, out _);
        }
    }

    private async Task RequireSentAsync(long id, ValueTask<bool> sent)
    {
        if (!await sent.ConfigureAwait(false))
            throw NotSent();

        // The reading loop may have failed all pending replies just before this one was added.
        if (_isClosed && _pending.TryGetValue(id, out var reply))
            reply.OnLost(Lost());
    }

    private async IAsyncEnumerable<Value> ReadStreamAsync(long id, Frame frame, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var reply = new PendingStream();
        _pending[id] = reply;
        try
        {
            await RequireSentAsync(id, _outbound.SendAsync(frame, cancellationToken)).ConfigureAwait(false);
            var unconfirmed = 0;
            await foreach (var value in reply.Items.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return value;
                if (++unconfirmed < StreamWindow / 2)
                    continue;
                _outbound.Send(new() { ItemTaken = new() { Id = id, Count = unconfirmed } }, writeNow: true);
                unconfirmed = 0;
            }
        }
        finally
        {
            Cancel(id);
        }
    }

    private void Cancel(long id)
    {
        if (_pending.TryRemove(id, out _))
            _outbound.Send(new() { Cancel = id }, writeNow: true);
    }

    private async Task ReadAsync()
    {
        Exception? failure = null;
        try
        {
            while (await _stream.ReadAsync().ConfigureAwait(false) is { } message)
            {
                foreach (var frame in message.Frames_)
                    Receive(frame);
            }
        }
        catch (Exception thrown) when (thrown is IOException or ObjectDisposedException or InvalidProtocolBufferException)
        {
            failure = thrown;
        }

        Dispose();
        var lost = Lost(failure);
        foreach (var id in _pending.Keys)
        {
            if (_pending.TryRemove(id, out var reply))
                reply.OnLost(lost);
        }
    }

    private static ConnectionLostException Lost(Exception? failure = null) => new(mayHaveStarted: true, "The process exited or the connection to it broke.", failure);

    private void Receive(Frame frame)
    {
        switch (frame.BodyCase)
        {
            case Frame.BodyOneofCase.Done:
                if (_pending.TryRemove(frame.Done.Id, out var done))
                    done.OnDone(frame.Done);
                break;
            case Frame.BodyOneofCase.Item:
                if (_pending.TryGetValue(frame.Item.Id, out var stream))
                    stream.OnItem(frame.Item);
                break;
        }
    }

    private sealed class PendingReply() : TaskCompletionSource<Done>(TaskCreationOptions.RunContinuationsAsynchronously), IPendingReply
    {
        public void OnItem(Item item)
        {
        }

        public void OnDone(Done done) => TrySetResult(done);

        public void OnLost(ConnectionLostException lost) => TrySetException(lost);
    }

    private sealed class PendingStream : IPendingReply
    {
        // Never full: the other process sends no more than the window.
        private readonly Channel<Value> _items = Channel.CreateBounded<Value>(new BoundedChannelOptions(StreamWindow) { SingleReader = true, SingleWriter = true });

        public ChannelReader<Value> Items => _items.Reader;

        public void OnItem(Item item) => _items.Writer.TryWrite(item.Value);

        public void OnDone(Done done) => _items.Writer.TryComplete(done.Error is { } error ? WireExceptionConverter.FromWire(error) : null);

        public void OnLost(ConnectionLostException lost) => _items.Writer.TryComplete(lost);
    }
}
