namespace Serve.Runtime.Methods;

/// <summary>Stream whose items are boxed. Single reader.</summary>
internal sealed class BoxedItemStream<TItem>(IAsyncEnumerable<TItem> source) : IAsyncEnumerable<object?>
{
    public IAsyncEnumerator<object?> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        new BoxedItemEnumerator(source.GetAsyncEnumerator(cancellationToken));

    private sealed class BoxedItemEnumerator(IAsyncEnumerator<TItem> inner) : IAsyncEnumerator<object?>
    {
        public object? Current => inner.Current;

        public ValueTask<bool> MoveNextAsync() => inner.MoveNextAsync();

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
