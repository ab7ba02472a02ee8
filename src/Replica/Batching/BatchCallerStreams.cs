namespace Serve.Replica.Batching;

/// <summary>Result streams of the callers of one streaming batch. When the last caller stops reading, the batch is canceled.</summary>
internal sealed class BatchCallerStreams<TItem, TResult>
{
    private readonly BatchCallerStream<TResult>[] _streams;
    private int _readers;

    /// <summary>Creates a stream for each caller, as the result of its item.</summary>
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
            // The caller canceled while the batch started.
            if (!batch.SetResult(i, _streams[i]))
                _streams[i].Leave();
        }
    }

    public int Count => _streams.Length;

    /// <summary>Number of callers that still read.</summary>
    public int Readers => _streams.Count(stream => stream.IsRead);

    /// <summary>Writes the results of one step.</summary>
    /// <returns>False if all streams have ended.</returns>
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

    /// <summary>Ends all open streams.</summary>
    public void Close(Exception? error)
    {
        foreach (var stream in _streams)
        {
            if (!stream.IsClosed)
                stream.Close(error);
        }
    }
}
