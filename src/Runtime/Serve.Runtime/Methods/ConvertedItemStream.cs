namespace Serve.Runtime.Methods;

/// <summary>A stream whose items are fitted to what the caller wants. Written by whoever enumerates it.</summary>
internal sealed class ConvertedItemStream<TItem>(IAsyncEnumerable<object?> source, Func<object?, TItem> convert) : IAsyncEnumerable<TItem>
{
    public IAsyncEnumerator<TItem> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        new ConvertedItemEnumerator(source.GetAsyncEnumerator(cancellationToken), convert);

    private sealed class ConvertedItemEnumerator(IAsyncEnumerator<object?> inner, Func<object?, TItem> convert) : IAsyncEnumerator<TItem>
    {
        public TItem Current => convert(inner.Current);

        public ValueTask<bool> MoveNextAsync() => inner.MoveNextAsync();

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
