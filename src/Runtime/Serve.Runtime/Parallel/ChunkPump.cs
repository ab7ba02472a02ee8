using System.Runtime.CompilerServices;

namespace Serve.Runtime.Parallel;

/// <summary>
/// Takes items as they come, has them worked on in chunks, and hands the results on. It does so only while someone reads: no more than
/// twice as many chunks are under way as can run at once, and nothing waits inside a task. Read once.
/// </summary>
internal sealed class ChunkPump<T, TResult>(Cluster cluster, IAsyncEnumerable<T> items, long? total, IChunkStarter<T, TResult> starter, MapOptions options, bool isOrdered)
{
    private const int LargestChunk = 1 << 16;
    private static readonly TimeSpan ChunkTime = TimeSpan.FromMilliseconds(10);
    private readonly List<Chunk> underWay = [];
    private readonly List<T> gathered = [];
    private ChunkSize size = new(options.ChunkSize, ChunkTime);
    private Task<bool>? coming;
    private bool isEnded;
    private long taken;
    private long done;

    /// <summary>The chunks' results, each with the index of its first item.</summary>
    public async IAsyncEnumerable<(long Offset, TResult[] Results)> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        cluster.ThrowIfDisposed();
        var width = starter.Width;
        var room = options.MaxConcurrency is null ? 2 * width : width;
        using var progress = options.Progress ? ProgressBar.Start(options.Name, total, () => Volatile.Read(ref done)) : null;
        await using var source = items.GetAsyncEnumerator(cancellationToken);
        try
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await FillAsync(source, room, width).ConfigureAwait(false);
                if (underWay.Count == 0 && isEnded)
                    yield break;
                if (await NextAsync(room, cancellationToken).ConfigureAwait(false) is not { } next)
                    continue;
                var (results, ticks) = await ResultAsync(next, cancellationToken).ConfigureAwait(false);
                underWay.Remove(next);
                size.Ran(results.Length, ticks);
                Volatile.Write(ref done, done + results.Length);
                yield return (next.Offset, results);
            }
        }
        finally
        {
            foreach (var chunk in underWay)
            {
                if (!cluster.IsDisposed)
                    cluster.Cancel(chunk.Reference);
            }
        }
    }

    /// <summary>Starts chunks while there is room and items are there without waiting for them.</summary>
    private async ValueTask FillAsync(IAsyncEnumerator<T> source, int room, int width)
    {
        while (!isEnded && underWay.Count < room)
        {
            // A chunk that may be the last of many is small enough to leave some for the others.
            var most = total is { } all && options.ChunkSize is null ? Math.Max(1, (all - taken) / (2 * width)) : LargestChunk;
            var wanted = options.ChunkSize ?? (int)Math.Min(size.Next, Math.Min(most, LargestChunk));
            while (gathered.Count < wanted)
            {
                coming ??= source.MoveNextAsync().AsTask();
                if (!coming.IsCompleted)
                    break;
                isEnded = !await coming.ConfigureAwait(false);
                coming = null;
                if (isEnded)
                    break;
                gathered.Add(source.Current);
            }

            if (gathered.Count == 0)
                return;
            underWay.Add(new(taken, starter.Start([.. gathered], taken)));
            taken += gathered.Count;
            gathered.Clear();
        }
    }

    /// <summary>A chunk whose results may be handed on; null when new items came first.</summary>
    private async ValueTask<Chunk?> NextAsync(int room, CancellationToken cancellationToken)
    {
        var ready = isOrdered ? (underWay.Count > 0 && underWay[0].Reference.IsReady ? underWay[0] : null) : underWay.Find(chunk => chunk.Reference.IsReady);
        if (ready is not null)
            return ready;
        var awaited = isOrdered ? underWay.Take(1) : underWay;
        var one = underWay.Count == 0 ? null : cluster.Wait(awaited.Select(chunk => chunk.Reference), 1, null, cancellationToken);
        if (coming is not null && underWay.Count < room)
        {
            await Task.WhenAny(one is null ? [coming.WaitAsync(cancellationToken)] : [one, coming]).ConfigureAwait(false);
            return null;
        }

        if (one is not null)
            await one.ConfigureAwait(false);
        return null;
    }

    // Of several failures under way the one with the lowest index is told, so that the same map fails in the same way.
    private async ValueTask<(TResult[] Results, long Ticks)> ResultAsync(Chunk chunk, CancellationToken cancellationToken)
    {
        if (chunk.Reference.IsFaulted)
        {
            foreach (var before in underWay.Where(other => other.Offset < chunk.Offset).ToArray())
                await cluster.Get(before.Reference, null, cancellationToken).ConfigureAwait(false);
        }

        return await cluster.Get(chunk.Reference, null, cancellationToken).ConfigureAwait(false);
    }

    private sealed record Chunk(long Offset, ObjectRef<(TResult[] Results, long Ticks)> Reference);
}
