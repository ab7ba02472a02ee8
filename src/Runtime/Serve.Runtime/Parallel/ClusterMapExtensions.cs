using Serve.Runtime.Parallel;

namespace Serve;

/// <summary>Maps: one function over many items, on every CPU of the cluster, in chunks that are chosen for the caller.</summary>
public static class ClusterMapExtensions
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
        /// Applies a <c>[Remote]</c> function to each item: <c>ray.Map(ray.Demo.Square, items)</c>. A chunk of items is one task, with the function's own resources,
        /// retries and isolation, so that a map in worker processes costs little more per item than the function itself.
        /// </summary>
        /// <typeparam name="T">The items' type.</typeparam>
        /// <typeparam name="TResult">The results' type.</typeparam>
        /// <param name="function">A function with one parameter.</param>
        /// <param name="items">The items.</param>
        /// <param name="progress">Shows a progress bar on the terminal. Default false.</param>
        /// <param name="options">Chunk size, concurrency, name. Default: chosen by how long items take.</param>
        /// <param name="cancellationToken">Cancels the tasks.</param>
        /// <returns>The results in the items' order.</returns>
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

        /// <summary>Maps items as they come; results come in the items' order, while the next items are worked on. No more is read ahead than keeps the CPUs busy.</summary>
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

        /// <summary>Like <c>Map</c>, but hands each result on as soon as it is there. The items may be endless: no more is read ahead than keeps the CPUs busy.</summary>
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

            // The worker makes the function's struct by its type, so the starter is of that type too.
            var starter = typeof(RemoteMapChunkStarter<,,>).MakeGenericType(function.GetType(), typeof(T), typeof(TResult));
            return new(cluster, items, total, (IMapChunkStarter<T, TResult>)Activator.CreateInstance(starter, cluster, function, options)!, options, isOrdered);
        }

        private IAsyncEnumerable<TResult> Stream<T, TResult>(
            IAsyncEnumerable<T> items, long? total, Func<T, CancellationToken, ValueTask<TResult>> function, bool isAsync, MapOptions options, bool isOrdered, CancellationToken cancellationToken)
        {
            ArgumentNullException.ThrowIfNull(items);

            // An asynchronous function waits rather than works: its items go one by one, so that one that waits long holds up no other.
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
