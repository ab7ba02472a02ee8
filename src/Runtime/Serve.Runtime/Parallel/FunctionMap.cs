using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Serve.Runtime.Parallel;

/// <summary>A map with a plain function: each runner goes through its chunk in one loop, a delegate call for each item.</summary>
internal sealed class FunctionMap<T, TResult>(ItemSource<T> source, Func<T, TResult> function, MapOptions options, CancellationToken cancellationToken)
    : ArrayMap<T, TResult>(source, options, cancellationToken)
{
    private int width;

    protected override void Start(Cluster cluster)
    {
        width = Options.MaxConcurrency ?? LocalTasks.Width(cluster);
        StartRunners(cluster, width, isAsync: false, Run);
    }

    // Without a try block of its own: a counter that a handler reads stays in memory, and each item would wait for the store of the one before.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Apply(ReadOnlySpan<T> items, Span<TResult> results, Func<T, TResult> function, ref int done)
    {
        results = results[..items.Length];
        for (var i = 0; i < items.Length; i++)
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
        var size = new ChunkSize(Options.ChunkSize, ChunkTime);
        while (!stop.IsCancellationRequested && TryTake(size.Next, width, out var start, out var count))
        {
            var began = Stopwatch.GetTimestamp();
            var done = 0;
            try
            {
                Apply(Items.Slice(start, count), Results.AsSpan(start, count), function, ref done);
            }
            catch (Exception thrown)
            {
                Failed(start + done, thrown);
            }

            Ran(done);
            size.Ran(count, Stopwatch.GetTimestamp() - began);
        }

        Leave();
        return default;
    }
}
