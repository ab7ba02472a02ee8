using System.Diagnostics;

namespace Serve.Runtime.Parallel;

/// <summary>Runs a function over one chunk, item after item, where the chunk is: in this process, or in the worker that it was sent to.</summary>
/// <typeparam name="TFunction">The struct that the source generator made for the function.</typeparam>
/// <typeparam name="T">The items' type.</typeparam>
/// <typeparam name="TResult">The results' type.</typeparam>
internal static class MapChunkRunner<TFunction, T, TResult>
    where TFunction : IRemoteFunction<T, TResult>, new()
{
    /// <summary>Runs it.</summary>
    /// <param name="items">The chunk.</param>
    /// <param name="offset">The index of its first item in the map.</param>
    /// <param name="cancellationToken">Ends it between two items.</param>
    /// <returns>The results, and how long they took in <see cref="Stopwatch"/> ticks.</returns>
    public static async ValueTask<(TResult[] Results, long Ticks)> Run(T[] items, long offset, CancellationToken cancellationToken)
    {
        var function = new TFunction();
        var results = new TResult[items.Length];
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < items.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                results[i] = await function.Invoke(items[i], cancellationToken).ConfigureAwait(false);
            }
            catch (Exception thrown) when (thrown is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                throw MapItemFailure.Create(offset + i, thrown);
            }
        }

        return (results, Stopwatch.GetTimestamp() - began);
    }
}
