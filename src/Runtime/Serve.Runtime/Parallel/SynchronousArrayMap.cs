using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Serve.Runtime.Parallel;

/// <summary>Map with a synchronous function: each runner processes its chunk in one loop, with one delegate call per item.</summary>
internal sealed class SynchronousArrayMap<T, TResult>(ContiguousItems<T> source, Func<T, TResult> function, MapOptions options, CancellationToken cancellationToken)
    : ParallelArrayMap<T, TResult>(source, options, cancellationToken)
{
    private int _width;

    protected override void Start(Cluster cluster)
    {
        _width = Options.MaxConcurrency ?? LocalTaskStarter.GetParallelism(cluster);
        StartRunners(cluster, _width, isAsync: false, Run);
    }

    // Without a try block of its own: a counter read by a handler stays in memory, and each item would wait for the previous store.
    // In groups of four: stores to one cache line are combined only if no store to another line, such as the counter's, comes between them. Results that are
    // not stored because an item of their group failed are not needed: a failed map has no results.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Apply(ReadOnlySpan<T> items, Span<TResult> results, Func<T, TResult> function, ref int done)
    {
        results = results[..items.Length];
        var i = 0;
        for (; i < items.Length - 3; i += 4)
        {
            done = i;
            var first = function(items[i]);
            done = i + 1;
            var second = function(items[i + 1]);
            done = i + 2;
            var third = function(items[i + 2]);
            done = i + 3;
            var fourth = function(items[i + 3]);
            results[i] = first;
            results[i + 1] = second;
            results[i + 2] = third;
            results[i + 3] = fourth;
        }

        for (; i < items.Length; i++)
        {
            done = i;
            results[i] = function(items[i]);
        }

        done = items.Length;
    }

    private ValueTask<object?> Run(CancellationToken stop)
    {
        if (!TryEnter())
            return default;
        var size = new AdaptiveChunkSize(Options.ChunkSize, ChunkTime);
        while (!stop.IsCancellationRequested && TryTakeChunk(size.Next, _width, out var start, out var count))
        {
            var began = Stopwatch.GetTimestamp();
            var done = 0;
            try
            {
                Apply(Items.Slice(start, count), Results.AsSpan(start, count), function, ref done);
            }
            catch (Exception thrown)
            {
                ReportFailure(start + done, thrown);
            }

            ReportCompleted(done);
            size.ReportChunk(count, Stopwatch.GetTimestamp() - began);
        }

        Exit();
        return default;
    }
}
