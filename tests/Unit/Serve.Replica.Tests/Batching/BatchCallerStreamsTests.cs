using Serve.Replica.Batching;

namespace Serve.Replica.Tests.Batching;

/// <summary>Streams of the callers of one streaming batch, whose steps the test writes.</summary>
public sealed class BatchCallerStreamsTests : IDisposable
{
    private const int MostUnread = 1024;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly BatchQueue<int, BatchCallerStream<int>> _queue;
    private readonly TaskCompletionSource _end = new();
    private readonly CancellationTokenSource _gone = new();
    private bool _oneIsGone;
    private BatchCallerStreams<int, int> _streams = null!;
    private CancellationToken _stop;

    public BatchCallerStreamsTests() => _queue = new(
        batch =>
        {
            batch.TryStart();
            if (_oneIsGone)
                _gone.Cancel();
            _streams = new(batch);
            _stop = batch.CancellationToken;
            return new(_end.Task);
        }, new() { Settings = new() { MaxBatchSize = 2, WaitTimeout = TimeSpan.FromHours(1) }, RunsElsewhere = true });

    public void Dispose()
    {
        _end.SetResult();
        _queue.Dispose();
        _gone.Dispose();
    }

    [Fact]
    public async Task Write_OneEnds_TheOtherGoesOn()
    {
        var (one, other) = await StartAsync();

        Assert.True(_streams.Write([1, 2]));
        Assert.True(_streams.Write([BatchResult.None, BatchResult.End]));
        Assert.True(_streams.Write([3, 4]));
        Assert.False(_streams.Write([BatchResult.End, 5]));

        Assert.Equal([1, 3], await ReadAsync(one));
        Assert.Equal([2], await ReadAsync(other));
    }

    [Fact]
    public async Task Write_OneFails_TheOtherGoesOn()
    {
        var (one, other) = await StartAsync();

        Assert.True(_streams.Write([BatchResult.Fail(new BadInputException("no")), 2]));
        Assert.Equal(1, _streams.Readers);
        _streams.Close(null);

        Assert.Equal("no", (await Assert.ThrowsAsync<BadInputException>(() => ReadAsync(one))).Message);
        Assert.Equal([2], await ReadAsync(other));
    }

    [Fact]
    public async Task Close_WithAnError_IsTheErrorOfThoseThatAreOpen()
    {
        var (one, other) = await StartAsync();
        _streams.Write([1, BatchResult.End]);

        _streams.Close(new IOException("torn"));

        Assert.Equal("torn", (await Assert.ThrowsAsync<IOException>(() => ReadAsync(one))).Message);
        Assert.Empty(await ReadAsync(other));
    }

    [Fact]
    public async Task Write_OneDoesNotRead_LosesItsStreamAtTheMostThatMayLieUnread()
    {
        var (one, other) = await StartAsync();
        var reading = other.ReadAsync(default).GetAsyncEnumerator();
        for (var i = 0; i < MostUnread; i++)
        {
            _streams.Write([i, i]);
            Assert.True(await reading.MoveNextAsync());
        }

        Assert.Equal(2, _streams.Readers);
        Assert.True(_streams.Write([MostUnread, MostUnread]));
        Assert.Equal(1, _streams.Readers);
        Assert.True(await reading.MoveNextAsync());
        Assert.Equal(MostUnread, reading.Current);

        var read = 0;
        var error = await Assert.ThrowsAsync<OverloadedException>(async () =>
        {
            await foreach (var _ in one.ReadAsync(default))
                read++;
        });
        Assert.Contains("because 1024 of its items are unread", error.Message, StringComparison.Ordinal);
        Assert.Equal(MostUnread, read);
        await reading.DisposeAsync();
    }

    [Fact]
    public async Task Leave_TheLast_StopsTheBatch()
    {
        var (one, other) = await StartAsync();
        var stopped = Task.Delay(Timeout.Infinite, _stop);
        _streams.Write([1, 2]);

        await foreach (var _ in one.ReadAsync(default))
            break;
        // Idempotent.
        one.Leave();
        Assert.Equal(1, _streams.Readers);
        Assert.False(_stop.IsCancellationRequested);
        // Its stream is closed, so after the end of the other one no caller waits for a step.
        Assert.False(_streams.Write([3, BatchResult.End]));
        await foreach (var _ in other.ReadAsync(default))
            break;

        Assert.Equal(0, _streams.Readers);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stopped.WaitAsync(Limit));
    }

    [Fact]
    public async Task Leave_WhileTheBatchStarts_CountsToo()
    {
        _oneIsGone = true;
        var (_, other) = await StartAsync();
        var stopped = Task.Delay(Timeout.Infinite, _stop);

        Assert.Equal(1, _streams.Readers);
        other.Leave();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stopped.WaitAsync(Limit));
    }

    private static async Task<List<int>> ReadAsync(BatchCallerStream<int> stream)
    {
        List<int> items = [];
        await foreach (var item in stream.ReadAsync(default))
            items.Add(item);
        return items;
    }

    private async Task<(BatchCallerStream<int> One, BatchCallerStream<int> Other)> StartAsync()
    {
        var one = _queue.EnqueueAsync(1, null, default, _gone.Token).AsTask();
        var other = _queue.EnqueueAsync(2, null, default, default).AsTask();
        return (_oneIsGone ? null! : await one.WaitAsync(Limit), await other.WaitAsync(Limit));
    }
}
