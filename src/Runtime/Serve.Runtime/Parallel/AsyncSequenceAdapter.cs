using System.Runtime.CompilerServices;

namespace Serve.Runtime.Parallel;

/// <summary>Adapts a sequence to an asynchronous one whose items are always available.</summary>
internal static class AsyncSequenceAdapter
{
    public static async IAsyncEnumerable<T> ToAsync<T>(IEnumerable<T> items)
    {
        foreach (var item in items)
            yield return item;
        await Task.CompletedTask.ConfigureAwait(false);
    }

    public static async IAsyncEnumerable<TResult> Flatten<TResult>(
        IAsyncEnumerable<(long Offset, TResult[] Results)> chunks, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var (_, results) in chunks.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            foreach (var result in results)
                yield return result;
        }
    }
}
