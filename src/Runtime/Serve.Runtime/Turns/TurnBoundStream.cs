
namespace Serve.Runtime.Turns;

/// <summary>Wraps a user's stream so that each step, including disposal, runs as a turn of its actor. Not thread-safe.</summary>
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

        // GetAsyncEnumerator is user code as well if the stream is a user-defined class.
        private ValueTask<bool> Step() => (_inner ??= source.GetAsyncEnumerator(cancellationToken)).MoveNextAsync();
    }
}
