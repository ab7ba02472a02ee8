namespace Serve.Runtime.Turns;

/// <summary>A user's stream whose every step, disposal included, runs as a turn of its actor. One writer: whoever enumerates.</summary>
internal sealed class TurnBoundStream<TItem>(ActorTurnScheduler turns, IAsyncEnumerable<TItem> source, bool blocking) : IAsyncEnumerable<TItem>
{
    public IAsyncEnumerator<TItem> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        new Enumerator(turns, source, blocking, cancellationToken);

    private sealed class Enumerator(ActorTurnScheduler turns, IAsyncEnumerable<TItem> source, bool blocking, CancellationToken cancellationToken)
        : IAsyncEnumerator<TItem>
    {
        private IAsyncEnumerator<TItem>? _inner;

        public TItem Current => _inner is null ? default! : _inner.Current;

        public ValueTask<bool> MoveNextAsync() => turns.RunAsync(this, static self => self.Step(), blocking);

        public ValueTask DisposeAsync() =>
            _inner is null ? ValueTask.CompletedTask : turns.RunAsync(_inner, static stream => stream.DisposeAsync(), blocking);

        // Getting the enumerator is user code too when the stream is a class of the user's own.
        private ValueTask<bool> Step() => (_inner ??= source.GetAsyncEnumerator(cancellationToken)).MoveNextAsync();
    }
}
