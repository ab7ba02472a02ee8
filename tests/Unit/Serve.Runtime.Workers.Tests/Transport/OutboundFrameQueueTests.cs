using System.IO.Pipelines;
using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Tests.Transport;

public sealed class OutboundFrameQueueTests : IDisposable
{
    private const int LineLength = 10_000;

    // A write completes when the reader has consumed it.
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 1, resumeWriterThreshold: 1));
    private readonly FrameStream _peer;
    private readonly OutboundFrameQueue _queue;

    public OutboundFrameQueueTests()
    {
        _peer = new(_pipe.Reader.AsStream());
        _queue = new(new FrameStream(_pipe.Writer.AsStream()));
    }

    public void Dispose() => _queue.Close(discard: true);

    [Fact]
    public async Task SendOrWait_PeerDoesNotRead_BlocksAtCapacityAndContinuesWhenItReads()
    {
        const int Count = 1000;
        BlockWriter();
        var sent = 0;
        var producer = Task.Run(() =>
        {
            for (var line = 0; line < Count; line++)
            {
                Assert.True(_queue.SendOrWait(CreateLine()));
                Interlocked.Increment(ref sent);
            }
        });
        await Eventually.TrueAsync(() => _queue.QueuedBytes >= OutboundFrameQueue.Capacity, () => $"{_queue.QueuedBytes} bytes queued");
        Assert.InRange(Volatile.Read(ref sent), 1, Count - 1);
        Assert.InRange(_queue.QueuedBytes, OutboundFrameQueue.Capacity, OutboundFrameQueue.Capacity + (4 * LineLength));

        var received = 0;
        while (received < Count + 1 && await _peer.ReadAsync() is { } message)
            received += message.Frames_.Count;

        await producer.SoonAsync();
        Assert.Equal(Count + 1, received);
        Assert.Equal(0, _queue.QueuedBytes);
    }

    [Fact]
    public async Task SendAsync_QueueFull_WaitsUntilThereIsRoom()
    {
        Fill();
        var waiting = _queue.SendAsync(CreateLine(), CancellationToken.None).AsTask();
        Assert.False(waiting.IsCompleted);

        while (!waiting.IsCompleted)
            await _peer.ReadAsync();

        Assert.True(await waiting);
    }

    [Fact]
    public async Task SendAsync_CanceledWhileQueueFull_DropsTheFrame()
    {
        Fill();
        using var source = new CancellationTokenSource();
        var waiting = _queue.SendAsync(CreateLine(), source.Token).AsTask();
        var before = _queue.QueuedBytes;
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(before, _queue.QueuedBytes);
    }

    [Fact]
    public void Send_QueueFull_DoesNotWait()
    {
        Fill();
        Assert.True(_queue.Send(new() { Done = new() { Id = 1 } }));
    }

    [Fact]
    public async Task Close_WhileProducersWait_ReleasesThem()
    {
        Fill();
        var blocked = Task.Run(() => _queue.SendOrWait(CreateLine()));
        var waiting = _queue.SendAsync(CreateLine(), CancellationToken.None).AsTask();

        _queue.Close(discard: true);

        Assert.False(await blocked.SoonAsync());
        Assert.False(await waiting.SoonAsync());
        Assert.False(_queue.Send(CreateLine()));
    }

    [Fact]
    public async Task Metrics_QueueFull_ShowItsBytesAndTheWaits()
    {
        var waits = TransportMetrics.ProducerWaits;
        Fill();
        var waiting = _queue.SendAsync(CreateLine(), CancellationToken.None).AsTask();
        Assert.True(TransportMetrics.QueuedBytes >= OutboundFrameQueue.Capacity);
        Assert.True(TransportMetrics.ProducerWaits > waits);
        _queue.Close(discard: true);
        Assert.False(await waiting.SoonAsync());
    }

    [Fact]
    public async Task Send_SeveralFramesWhileOneIsWritten_GoOutInOneMessageInOrder()
    {
        for (var id = 1; id <= 5; id++)
            _queue.Send(new() { Cancel = id });
        var received = new List<long>();
        var messages = 0;
        while (received.Count < 5)
        {
            received.AddRange((await _peer.ReadAsync())!.Frames_.Select(frame => frame.Cancel));
            messages++;
        }

        Assert.Equal([1, 2, 3, 4, 5], received);
        Assert.InRange(messages, 1, 5);
    }

    private static Frame CreateLine() => new() { Printed = new() { Task = "t", Text = new string('x', LineLength / 2) } };

    /// <summary>Makes the writer wait for the peer with one frame, so that all others stay in the queue.</summary>
    private void BlockWriter()
    {
        _queue.Send(CreateLine());
        Assert.True(SpinWait.SpinUntil(() => _queue.QueuedBytes == 0, TimeSpan.FromSeconds(10)));
    }

    private void Fill()
    {
        BlockWriter();
        while (_queue.QueuedBytes < OutboundFrameQueue.Capacity)
            _queue.Send(CreateLine());
    }
}
