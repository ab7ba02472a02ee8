using System.Runtime.CompilerServices;
using Serve.Runtime.Parallel;

namespace Serve;

/// <summary>Progress bars around loops, and results as they come.</summary>
public static class ClusterProgressExtensions
{
    /// <summary>The same items, with a progress bar on the terminal while they are gone through. Nothing is shown where standard error is not a terminal.</summary>
    /// <typeparam name="T">The items' type.</typeparam>
    /// <param name="items">The items; how many there are is shown where it is known without counting.</param>
    /// <param name="name">What stands in front. Default none.</param>
    /// <returns>The items.</returns>
    public static IEnumerable<T> WithProgress<T>(this IEnumerable<T> items, string name = "")
    {
        ArgumentNullException.ThrowIfNull(items);
        return Loop(items, name);

        static IEnumerable<T> Loop(IEnumerable<T> items, string name)
        {
            var done = 0L;
            using var bar = ConsoleProgressBar.Start(name, items.TryGetNonEnumeratedCount(out var count) ? count : null, () => Volatile.Read(ref done));
            foreach (var item in items)
            {
                yield return item;
                Volatile.Write(ref done, done + 1);
            }
        }
    }

    /// <inheritdoc cref="WithProgress{T}(IEnumerable{T}, string)"/>
    public static async IAsyncEnumerable<T> WithProgress<T>(this IAsyncEnumerable<T> items, string name = "", [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        var done = 0L;
        using var bar = ConsoleProgressBar.Start(name, null, () => Volatile.Read(ref done));
        await foreach (var item in items.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            yield return item;
            Volatile.Write(ref done, done + 1);
        }
    }

    extension(Cluster cluster)
    {
        /// <summary>The objects in the order in which they become ready; throws when one has failed.</summary>
        /// <typeparam name="T">The objects' type.</typeparam>
        /// <param name="references">Refs of this cluster, each once.</param>
        /// <param name="progress">Shows a progress bar on the terminal. Default false.</param>
        /// <param name="cancellationToken">Gives it up.</param>
        /// <returns>Each object once.</returns>
        public async IAsyncEnumerable<T> AsCompleted<T>(
            IEnumerable<ObjectRef<T>> references, bool progress = false, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            ArgumentNullException.ThrowIfNull(references);
            var all = references.ToArray();
            var ready = new ReadyObjectQueue(cluster, all);
            var done = 0L;
            using var bar = progress ? ConsoleProgressBar.Start("", all.Length, () => Volatile.Read(ref done)) : null;
            for (var i = 0; i < all.Length; i++)
            {
                var next = (ObjectRef<T>)await ready.NextAsync(cancellationToken).ConfigureAwait(false);
                var item = await cluster.Get(next, null, cancellationToken).ConfigureAwait(false);
                Volatile.Write(ref done, i + 1);
                yield return item;
            }
        }
    }
}
