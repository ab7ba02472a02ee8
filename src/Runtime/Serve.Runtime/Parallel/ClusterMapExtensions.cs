using Serve.Runtime.Parallel;

namespace Serve;

/// <summary>Parallel maps: apply one function to many items on all CPUs of the cluster, in chunks of automatic size.</summary>
public static class ClusterMapExtensions
{
    extension(Cluster cluster)
    {
        /// <summary>
        /// Applies a function to each item on threads of this process and returns the results in the order of the items. Trivial functions run almost as fast
        /// as in a plain loop, slow ones on all CPUs concurrently.
        /// </summary>
        /// <typeparam name="T">Type of the items.</typeparam>
        /// <typeparam name="TResult">Type of the results.</typeparam>
        /// <param name="items">Items. Arrays and lists are read in place and must not change during the map; anything else is enumerated first.</param>
        /// <param name="function">Function called once per item, from several threads concurrently.</param>
        /// <param name="progress">Whether to show a progress bar on the terminal. Default: false.</param>
        /// <param name="options">Chunk size, concurrency and name. Default: chosen by the duration of the items.</param>
        /// <param name="cancellationToken">Cancels the map between two chunks, which last a few milliseconds unless a single item takes longer.</param>
        /// <returns>The results, one per item.</returns>
        /// <exception cref="UserCodeException">The function threw; the message begins with the index of the first such item.</exception>
        /// <exception cref="OperationCanceledException">The map was canceled.</exception>
        public Task<TResult[]> Map<T, TResult>(
            IEnumerable<T> items, Func<T, TResult> function, bool progress = false, MapOptions? options = null, CancellationToken cancellationToken = default)
        {
            ArgumentNullException.ThrowIfNull(function);
            return new SynchronousArrayMap<T, TResult>(Source(items), function, With(options, progress), cancellationToken).RunAsync(cluster);
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
            return new AsynchronousArrayMap<T, TResult>(Source(items), function, With(options, progress), cancellationToken).RunAsync(cluster);
        }

        /// <summary>
        /// Applies a <c>[Remote]</c> function to each item: <c>ray.Map(ray.Demo.Square, items)</c>. A chunk of items is one task with the function's own
        /// resources, retries and isolation, so that a map in worker processes costs little more per item than the function itself.
        /// </summary>
        /// <typeparam name="T">Type of the items.</typeparam>
        /// <typeparam name="TResult">Type of the results.</typeparam>
        /// <param name="function">Function with one parameter.</param>
        /// <param name="items">Items.</param>
        /// <param name="progress">Whether to show a progress bar on the terminal. Default: false.</param>
        /// <param name="options">Chunk size, concurrency and name. Default: chosen by the duration of the items.</param>
        /// <param name="cancellationToken">Cancels the tasks.</param>
        /// <returns>The results in the order of the items.</returns>
        /// <exception cref="UserCodeException">The function threw; the message begins with the index of the first such item.</exception>
        public async Task<TResult[]> Map<T, TResult>(
            IRemoteFunction<T, TResult> function, IEnumerable<T> items, bool progress = false, MapOptions? options = null, CancellationToken cancellationToken = default)
        {
            ArgumentNullException.ThrowIfNull(function);
            var source = Source(items);
            var results = new TResult[source.Count];
            var pump = cluster.Pump(AsyncSequenceAdapter.ToAsync(source.Enumerable), source.Count, function, With(options, progress), isOrdered: false);
            await foreach (var (offset, chunk) in pump.RunAsync(cancellationToken).ConfigureAwait(false))
                chunk.CopyTo(results.AsSpan((int)offset));
            return results;
        }

        /// <summary>
        /// Maps items as they arrive; results are returned in the order of the items while later items are processed. Reads ahead only as many items as needed
        /// to keep the CPUs busy.
        /// </summary>
        /// <inheritdoc cref="Map{T, TResult}(Cluster, IEnumerable{T}, Func{T, TResult}, bool, MapOptions, CancellationToken)"/>
        public IAsyncEnumerable<TResult> Map<T, TResult>(
            IAsyncEnumerable<T> items, Func<T, TResult> function, bool progress = false, MapOptions? options = null, CancellationToken cancellationToken = default) =>
            cluster.Stream(items, null, Synchronous(function), isAsync: false, With(options, progress), isOrdered: true, cancellationToken);

        /// <inheritdoc cref="Map{T, TResult}(Cluster, IAsyncEnumerable{T}, Func{T, TResult}, bool, MapOptions, CancellationToken)"/>
        public IAsyncEnumerable<TResult> Map<T, TResult>(
            IAsyncEnumerable<T> items, Func<T, Task<TResult>> function, bool progress = false, MapOptions? options = null, CancellationToken cancellationToken = default) =>
            cluster.Stream(items, null, Asynchronous(function), isAsync: true, With(options, progress), isOrdered: true, cancellationToken);

        /// <inheritdoc cref="Map{T, TResult}(Cluster, IAsyncEnumerable{T}, Func{T, TResult}, bool, MapOptions, CancellationToken)"/>
        public IAsyncEnumerable<TResult> Map<T, TResult>(
            IRemoteFunction<T, TResult> function, IAsyncEnumerable<T> items, bool progress = false, MapOptions? options = null, CancellationToken cancellationToken = default) =>
            AsyncSequenceAdapter.Flatten(cluster.Pump(items, null, function, With(options, progress), isOrdered: true).RunAsync(cancellationToken), cancellationToken);

        /// <summary>
        /// Like <c>Map</c>, but returns each result as soon as it is ready. The items may be infinite: only as many are read ahead as needed to keep the CPUs
        /// busy.
        /// </summary>
        /// <inheritdoc cref="Map{T, TResult}(Cluster, IEnumerable{T}, Func{T, TResult}, bool, MapOptions, CancellationToken)"/>
        public IAsyncEnumerable<TResult> MapUnordered<T, TResult>(
            IEnumerable<T> items, Func<T, TResult> function, bool progress = false, MapOptions? options = null, CancellationToken cancellationToken = default) =>
            cluster.Stream(AsyncSequenceAdapter.ToAsync(items), Count(items), Synchronous(function), isAsync: false, With(options, progress), isOrdered: false, cancellationToken);

        /// <inheritdoc cref="MapUnordered{T, TResult}(Cluster, IEnumerable{T}, Func{T, TResult}, bool, MapOptions, CancellationToken)"/>
        public IAsyncEnumerable<TResult> MapUnordered<T, TResult>(
            IEnumerable<T> items, Func<T, Task<TResult>> function, bool progress = false, MapOptions? options = null, CancellationToken cancellationToken = default) =>
            cluster.Stream(AsyncSequenceAdapter.ToAsync(items), Count(items), Asynchronous(function), isAsync: true, With(options, progress), isOrdered: false, cancellationToken);

        /// <inheritdoc cref="MapUnordered{T, TResult}(Cluster, IEnumerable{T}, Func{T, TResult}, bool, MapOptions, CancellationToken)"/>
        public IAsyncEnumerable<TResult> MapUnordered<T, TResult>(
            IRemoteFunction<T, TResult> function, IEnumerable<T> items, bool progress = false, MapOptions? options = null, CancellationToken cancellationToken = default) =>
            AsyncSequenceAdapter.Flatten(cluster.Pump(AsyncSequenceAdapter.ToAsync(items), Count(items), function, With(options, progress), isOrdered: false).RunAsync(cancellationToken), cancellationToken);

        private MapChunkPipeline<T, TResult> Pump<T, TResult>(
            IAsyncEnumerable<T> items, long? total, IRemoteFunction<T, TResult> function, MapOptions options, bool isOrdered)
        {
            ArgumentNullException.ThrowIfNull(items);
            ArgumentNullException.ThrowIfNull(function);

            // A worker instantiates the function's struct by its type, so the starter is generic over that type too.
            var starter = typeof(RemoteMapChunkStarter<,,>).MakeGenericType(function.GetType(), typeof(T), typeof(TResult));
            return new(cluster, items, total, (IMapChunkStarter<T, TResult>)Activator.CreateInstance(starter, cluster, function, options)!, options, isOrdered);
        }

        private IAsyncEnumerable<TResult> Stream<T, TResult>(
            IAsyncEnumerable<T> items, long? total, Func<T, CancellationToken, ValueTask<TResult>> function, bool isAsync, MapOptions options, bool isOrdered, CancellationToken cancellationToken)
        {
            ArgumentNullException.ThrowIfNull(items);

            // An asynchronous function mostly waits: its items run one by one, so that a slow one delays no other.
            if (isAsync)
                options = options with { ChunkSize = options.ChunkSize ?? 1 };
            var starter = new LocalMapChunkStarter<T, TResult>(cluster, function, isAsync, options);
            return AsyncSequenceAdapter.Flatten(new MapChunkPipeline<T, TResult>(cluster, items, total, starter, options, isOrdered).RunAsync(cancellationToken), cancellationToken);
        }
    }

    private static Func<T, CancellationToken, ValueTask<TResult>> Synchronous<T, TResult>(Func<T, TResult> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return (item, _) => new(function(item));
    }

    private static Func<T, CancellationToken, ValueTask<TResult>> Asynchronous<T, TResult>(Func<T, Task<TResult>> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return (item, _) => new(function(item));
    }

    private static long? Count<T>(IEnumerable<T> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        return items.TryGetNonEnumeratedCount(out var count) ? count : null;
    }

    private static ContiguousItems<T> Source<T>(IEnumerable<T> items)
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
