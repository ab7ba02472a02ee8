using System.Diagnostics;

namespace Serve.Runtime.Parallel;

/// <summary>Starts chunks of a function of this process.</summary>
internal sealed class LocalChunkStarter<T, TResult>(Cluster cluster, Func<T, CancellationToken, ValueTask<TResult>> function, bool isAsync, MapOptions options)
    : IChunkStarter<T, TResult>
{
    public int Width => options.MaxConcurrency ?? (isAsync ? AsyncFunctionMap<T, TResult>.DefaultConcurrency : LocalTasks.Width(cluster));

    public ObjectRef<(TResult[] Results, long Ticks)> Start(T[] items, long offset) =>
        LocalTasks.Start(cluster, options.Name, isAsync, stop => RunAsync(items, offset, stop));

    private async ValueTask<(TResult[] Results, long Ticks)> RunAsync(T[] items, long offset, CancellationToken stop)
    {
        var results = new TResult[items.Length];
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < items.Length; i++)
        {
            stop.ThrowIfCancellationRequested();
            try
            {
                results[i] = await function(items[i], stop).ConfigureAwait(false);
            }
            catch (Exception thrown) when (thrown is not OperationCanceledException || !stop.IsCancellationRequested)
            {
                throw MapFailure.Of(offset + i, thrown);
            }
        }

        return (results, Stopwatch.GetTimestamp() - began);
    }
}
