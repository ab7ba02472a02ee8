using System.Diagnostics;

namespace Serve.Runtime.Parallel;

/// <summary>Starts the chunks of a delegate of this process.</summary>
internal sealed class LocalMapChunkStarter<T, TResult>(Cluster cluster, Func<T, CancellationToken, ValueTask<TResult>> function, bool isAsync, MapOptions options)
    : IMapChunkStarter<T, TResult>
{
    public int Width => options.MaxConcurrency ?? (isAsync ? AsynchronousArrayMap<T, TResult>.DefaultConcurrency : LocalTaskStarter.GetParallelism(cluster));

    public ObjectRef<(TResult[] Results, long Ticks)> Start(T[] items, long offset) =>
        LocalTaskStarter.Start(cluster, options.Name, isAsync, stop => RunAsync(items, offset, stop));

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
                throw MapItemFailure.Create(offset + i, thrown);
            }
        }

        return (results, Stopwatch.GetTimestamp() - began);
    }
}
