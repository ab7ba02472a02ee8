using System.Runtime.CompilerServices;
using Serve.Runtime.Parallel;

namespace Serve;

/// <summary>Progress bars for loops, and results in order of completion.</summary>
public static class ClusterProgressExtensions
{
    /// <summary>Enumerates items and shows a progress bar on the terminal. Nothing is shown if standard error is not a terminal.</summary>
    /// <typeparam name="T">Type of the items.</typeparam>
    /// <param name="items">Items; their number is shown if it is known without enumerating them.</param>
    /// <param name="name">Label in front of the bar. Default: none.</param>
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
        /// <summary>Enumerates objects in the order in which they become ready; throws if one has failed.</summary>
        /// <typeparam name="T">Type of the objects.</typeparam>
        /// <param name="references">References of this cluster, without duplicates.</param>
        /// <param name="progress">Whether to show a progress bar on the terminal. Default: false.</param>
        /// <param name="cancellationToken">Cancels the enumeration.</param>
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
