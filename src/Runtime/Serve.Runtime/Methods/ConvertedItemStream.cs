namespace Serve.Runtime.Methods;

/// <summary>Stream whose items are converted to the type that the caller requests. Single reader.</summary>
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
