using System.Diagnostics;

namespace Serve.Runtime.Parallel;

/// <summary>Runs a function over one chunk, item by item, in this process or in the worker that received the chunk.</summary>
/// <typeparam name="TFunction">Struct generated for the function.</typeparam>
/// <typeparam name="T">Type of the items.</typeparam>
/// <typeparam name="TResult">Type of the results.</typeparam>
internal static class MapChunkRunner<TFunction, T, TResult>
    where TFunction : IRemoteFunction<T, TResult>, new()
{
    /// <summary>Runs the chunk.</summary>
    /// <param name="items">Items of the chunk.</param>
    /// <param name="offset">Index of the first item in the map.</param>
    /// <param name="cancellationToken">Cancels the chunk between two items.</param>
    /// <returns>The results, and their duration in <see cref="Stopwatch"/> ticks.</returns>
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

/// <summary>Creates the exception of a map whose function threw for an item: the exception of any task, prefixed with the index of the item.</summary>
internal static class MapItemFailure
{
    public static Exception Create(long index, Exception thrown) =>
        new UserCodeException(thrown.GetType().FullName ?? thrown.GetType().Name, $"Item {index}: {thrown.Message}", thrown.ToString(), thrown);
}
