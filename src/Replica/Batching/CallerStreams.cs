namespace Serve.Replica.Batching;

/// <summary>What the callers of one streaming batch read. The last one that leaves stops the batch. Written by the batch.</summary>
internal sealed class CallerStreams<TItem, TResult>
{
    private readonly CallerStream<TResult>[] streams;
    private int readers;

    /// <summary>Gives each caller its stream.</summary>
    public CallerStreams(Batch<TItem, CallerStream<TResult>> batch)
    {
        readers = batch.Count;
        void Left()
        {
            if (Interlocked.Decrement(ref readers) == 0)
                batch.Cancel();
        }

        streams = new CallerStream<TResult>[batch.Count];
        for (var i = 0; i < streams.Length; i++)
        {
            streams[i] = new CallerStream<TResult>(Left);
            // Whoever went while the batch started reads nothing.
            if (!batch.SetResult(i, streams[i]))
                streams[i].Leave();
        }
    }

    public int Count => streams.Length;

    /// <summary>How many would see how it ends.</summary>
    public int Readers => streams.Count(stream => stream.IsRead);

    /// <summary>Hands out one step.</summary>
    /// <returns>False when all streams have ended, so that nobody waits for another.</returns>
    public bool Write(IReadOnlyList<BatchResult<TResult>> step)
    {
        var open = false;
        for (var i = 0; i < streams.Length; i++)
        {
            streams[i].Write(step[i]);
            open |= !streams[i].IsClosed;
        }

        return open;
    }

    /// <summary>Ends all that are open.</summary>
    public void Close(Exception? error)
    {
        foreach (var stream in streams)
        {
            if (!stream.IsClosed)
                stream.Close(error);
        }
    }
}
