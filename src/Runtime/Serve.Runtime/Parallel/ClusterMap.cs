using Serve.Runtime.Parallel;

namespace Serve;

/// <summary>Maps: one function over many items, on every CPU of the cluster, in chunks that are chosen for the caller.</summary>
public static class ClusterMap
{
    extension(Cluster cluster)
    {
        /// <summary>
        /// Applies a function to each item on threads of this process and returns the results in the items' order. Trivial functions run nearly as
        /// fast as in a plain loop; slow ones on all CPUs at once.
        /// </summary>
        /// <typeparam name="T">The items' type.</typeparam>
        /// <typeparam name="TResult">The results' type.</typeparam>
        /// <param name="items">The items. Arrays and lists are read where they are and must not change meanwhile; anything else is read to its end first.</param>
        /// <param name="function">Called once for each item, from several threads at once.</param>
        /// <param name="progress">Shows a progress bar on the terminal. Default false.</param>
        /// <param name="options">Chunk size, concurrency, name. Default: chosen by how long items take.</param>
        /// <param name="cancellationToken">Ends the map between two chunks, which last some milliseconds unless a single item takes longer.</param>
        /// <returns>The results, one for each item.</returns>
        /// <exception cref="UserCodeException">The function threw; the message begins with the index of the first such item.</exception>
        /// <exception cref="OperationCanceledException">It was cancelled.</exception>
        public Task<TResult[]> Map<T, TResult>(
            IEnumerable<T> items, Func<T, TResult> function, bool progress = false, MapOptions? options = null, CancellationToken cancellationToken = default)
        {
            ArgumentNullException.ThrowIfNull(function);
            return new FunctionMap<T, TResult>(Source(items), function, With(options, progress), cancellationToken).RunAsync(cluster);
        }

        /// <inheritdoc cref="Map{T, TResult}(Cluster, IEnumerable{T}, Func{T, TResult}, bool, MapOptions, CancellationToken)"/>
        public Task<TResult[]> Map<T, TResult>(
            IEnumerable<T> items, Func<T, Task<TResult>> function, bool progress = false, MapOptions? options = null, CancellationToken cancellationToken = default)
        {
            ArgumentNullException.ThrowIfNull(function);
            return cluster.Map(items, (item, _) => function(item), progress, options, cancellationToken);
        }

        /// <inheritdoc cref="Map{T, TResult}(Cluster, IEnumerable{T}, Func{T, TResult}, bool, MapOptions, CancellationToken)"/>
        public Task<TResult[]> Map<T, TResult>(
            IEnumerable<T> items, Func<T, CancellationToken, Task<TResult>> function, bool progress = false, MapOptions? options = null, CancellationToken cancellationToken = default)
        {
            ArgumentNullException.ThrowIfNull(function);
            return new AsyncFunctionMap<T, TResult>(Source(items), function, With(options, progress), cancellationToken).RunAsync(cluster);
        }
    }

    private static ItemSource<T> Source<T>(IEnumerable<T> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        return new(items);
    }

    private static MapOptions With(MapOptions? options, bool progress)
    {
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.ChunkSize ?? 1, nameof(MapOptions.ChunkSize));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxConcurrency ?? 1, nameof(MapOptions.MaxConcurrency));
        return progress ? options with { Progress = true } : options;
    }
}
