namespace Serve.Replica.Batching;

/// <summary>What the callers of one streaming batch read. The last one that leaves stops the batch. Written by the batch.</summary>
internal sealed class BatchCallerStreams<TItem, TResult>
{
    private readonly BatchCallerStream<TResult>[] _streams;
    private int _readers;

    /// <summary>Gives each caller its stream.</summary>
    public BatchCallerStreams(DispatchedBatch<TItem, BatchCallerStream<TResult>> batch)
    {
        _readers = batch.Count;
        void Left()
        {
            if (Interlocked.Decrement(ref _readers) == 0)
                batch.Cancel();
        }

        _streams = new BatchCallerStream<TResult>[batch.Count];
        for (var i = 0; i < _streams.Length; i++)
        {
            _streams[i] = new BatchCallerStream<TResult>(Left);
            // Whoever went while the batch started reads nothing.
            if (!batch.SetResult(i, _streams[i]))
                _streams[i].Leave();
        }
    }

    public int Count => _streams.Length;

    /// <summary>How many would see how it ends.</summary>
    public int Readers => _streams.Count(stream => stream.IsRead);

    /// <summary>Hands out one step.</summary>
    /// <returns>False when all streams have ended, so that nobody waits for another.</returns>
    public bool Write(IReadOnlyList<BatchResult<TResult>> step)
    {
        var open = false;
        for (var i = 0; i < _streams.Length; i++)
        {
            _streams[i].Write(step[i]);
            open |= !_streams[i].IsClosed;
        }

        return open;
    }

    /// <summary>Ends all that are open.</summary>
    public void Close(Exception? error)
    {
        foreach (var stream in _streams)
        {
            if (!stream.IsClosed)
                stream.Close(error);
        }
    }
}
