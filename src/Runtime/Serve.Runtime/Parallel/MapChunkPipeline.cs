using System.Runtime.CompilerServices;

namespace Serve.Runtime.Parallel;

/// <summary>
/// Reads items as they arrive, processes them in chunks and delivers the results. It works only while it is read: at most twice as many chunks are in flight as
/// can run concurrently, and nothing waits inside a task. Read once.
/// </summary>
internal sealed class MapChunkPipeline<T, TResult>(Cluster cluster, IAsyncEnumerable<T> items, long? total, IMapChunkStarter<T, TResult> starter, MapOptions options, bool isOrdered)
{
    private const int LargestChunk = 1 << 16;
    private static readonly TimeSpan ChunkTime = TimeSpan.FromMilliseconds(10);
    private readonly List<PendingMapChunk> _underWay = [];
    private readonly List<T> _gathered = [];
    private AdaptiveChunkSize _size = new(options.ChunkSize, ChunkTime);
    private Task<bool>? _coming;
    private bool _isEnded;
    private long _taken;
    private long _done;

    /// <summary>Runs the pipeline.</summary>
    /// <returns>Results of the chunks, each with the index of its first item.</returns>
    public async IAsyncEnumerable<(long Offset, TResult[] Results)> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        cluster.ThrowIfDisposed();
        var width = starter.Width;
        var room = options.MaxConcurrency is null ? 2 * width : width;
        using var progress = options.Progress ? ConsoleProgressBar.Start(options.Name, total, () => Volatile.Read(ref _done)) : null;
        await using var source = items.GetAsyncEnumerator(cancellationToken);
        try
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await FillAsync(source, room, width).ConfigureAwait(false);
                if (_underWay.Count == 0 && _isEnded)
                    yield break;
                if (await NextAsync(room, cancellationToken).ConfigureAwait(false) is not { } next)
                    continue;
                var (results, ticks) = await ResultAsync(next, cancellationToken).ConfigureAwait(false);
                _underWay.Remove(next);
                _size.ReportChunk(results.Length, ticks);
                Volatile.Write(ref _done, _done + results.Length);
                yield return (next.Offset, results);
            }
        }
        finally
        {
            foreach (var chunk in _underWay)
            {
                if (!cluster.IsDisposed)
                    cluster.Cancel(chunk.Reference);
            }
        }
    }

    /// <summary>Starts chunks while there is capacity and items are available without waiting.</summary>
    private async ValueTask FillAsync(IAsyncEnumerator<T> source, int room, int width)
    {
        while (!_isEnded && _underWay.Count < room)
        {
            // A chunk that may be the last of many is small enough to leave some items for the others.
            var most = total is { } all && options.ChunkSize is null ? Math.Max(1, (all - _taken) / (2 * width)) : LargestChunk;
            var wanted = options.ChunkSize ?? (int)Math.Min(_size.Next, Math.Min(most, LargestChunk));
            while (_gathered.Count < wanted)
            {
                _coming ??= source.MoveNextAsync().AsTask();
                if (!_coming.IsCompleted)
                    break;
                _isEnded = !await _coming.ConfigureAwait(false);
                _coming = null;
                if (_isEnded)
                    break;
                _gathered.Add(source.Current);
            }

            if (_gathered.Count == 0)
                return;
            _underWay.Add(new(_taken, starter.Start([.. _gathered], _taken)));
            _taken += _gathered.Count;
            _gathered.Clear();
        }
    }

    /// <summary>Returns a chunk whose results may be delivered; null if new items arrived first.</summary>
    private async ValueTask<PendingMapChunk?> NextAsync(int room, CancellationToken cancellationToken)
    {
        var ready = isOrdered ? (_underWay.Count > 0 && _underWay[0].Reference.IsReady ? _underWay[0] : null) : _underWay.Find(chunk => chunk.Reference.IsReady);
        if (ready is not null)
            return ready;
        var awaited = isOrdered ? _underWay.Take(1) : _underWay;
        var one = _underWay.Count == 0 ? null : cluster.Wait(awaited.Select(chunk => chunk.Reference), 1, null, cancellationToken);
        if (_coming is not null && _underWay.Count < room)
        {
            await Task.WhenAny(one is null ? [_coming.WaitAsync(cancellationToken)] : [one, _coming]).ConfigureAwait(false);
            return null;
        }

        if (one is not null)
            await one.ConfigureAwait(false);
        return null;
    }

    // Of several concurrent failures the one with the lowest index is reported, so that the same map always fails in the same way.
    private async ValueTask<(TResult[] Results, long Ticks)> ResultAsync(PendingMapChunk chunk, CancellationToken cancellationToken)
    {
        if (chunk.Reference.IsFaulted)
        {
            foreach (var before in _underWay.Where(other => other.Offset < chunk.Offset).ToArray())
                await cluster.Get(before.Reference, null, cancellationToken).ConfigureAwait(false);
        }

        return await cluster.Get(chunk.Reference, null, cancellationToken).ConfigureAwait(false);
    }

    private sealed record PendingMapChunk(long Offset, ObjectRef<(TResult[] Results, long Ticks)> Reference);
}

/// <summary>Starts the chunks of one map as tasks.</summary>
internal interface IMapChunkStarter<T, TResult>
{
    /// <summary>Number of chunks that can run concurrently.</summary>
    int Width { get; }

    ObjectRef<(TResult[] Results, long Ticks)> Start(T[] items, long offset);
}
