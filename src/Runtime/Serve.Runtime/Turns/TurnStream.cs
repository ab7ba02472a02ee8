namespace Serve.Runtime.Turns;

/// <summary>A user's stream whose every step, disposal included, runs as a turn of its actor. One writer: whoever enumerates.</summary>
internal sealed class TurnStream<TItem>(ActorTurns turns, IAsyncEnumerable<TItem> source, bool blocking) : IAsyncEnumerable<TItem>
{
    public IAsyncEnumerator<TItem> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        new Enumerator(turns, source, blocking, cancellationToken);

    private sealed class Enumerator(ActorTurns turns, IAsyncEnumerable<TItem> source, bool blocking, CancellationToken cancellationToken)
        : IAsyncEnumerator<TItem>
    {
        private IAsyncEnumerator<TItem>? inner;

        public TItem Current => inner is null ? default! : inner.Current;

        public ValueTask<bool> MoveNextAsync() => turns.RunAsync(this, static self => self.Step(), blocking);

        public ValueTask DisposeAsync() =>
            inner is null ? ValueTask.CompletedTask : turns.RunAsync(inner, static stream => stream.DisposeAsync(), blocking);

        // Getting the enumerator is user code too when the stream is a class of the user's own.
        private ValueTask<bool> Step() => (inner ??= source.GetAsyncEnumerator(cancellationToken)).MoveNextAsync();
    }
}
