using System.Runtime.CompilerServices;

namespace Serve.Runtime.Workers.Nodes;

/// <summary>The versioned events of a node. Keeps the newest ones for watchers that connect again. Thread-safe.</summary>
internal sealed class NodeEventLog
{
    private const int MaxKept = 10_000;
    private readonly Lock _sync = new();
    private readonly Queue<NodeEvent> _kept = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _newest;
    private bool _isClosed;

    /// <summary>Appends an event.</summary>
    /// <param name="create">Creates the event with its version.</param>
    public void Add(Func<long, NodeEvent> create) => Change(() =>
    {
        _kept.Enqueue(create(++_newest));
        if (_kept.Count > MaxKept)
            _kept.Dequeue();
    });

    /// <summary>Ends all streams after their last event.</summary>
    public void Close() => Change(() => _isClosed = true);

    /// <exception cref="ArgumentOutOfRangeException">Events after <paramref name="afterVersion"/> are no longer kept.</exception>
    public async IAsyncEnumerable<NodeEvent> WatchAsync(long afterVersion, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            NodeEvent[] unseen;
            Task changed;
            bool isClosed;
            lock (_sync)
            {
                var oldest = _newest - _kept.Count;
                if (afterVersion < oldest)
                    throw new ArgumentOutOfRangeException(nameof(afterVersion), afterVersion, $"Only events after version {oldest} are available.");
                unseen = [.. _kept.Skip((int)Math.Min(afterVersion - oldest, _kept.Count))];
                (changed, isClosed) = (_changed.Task, _isClosed);
            }

            foreach (var happened in unseen)
            {
                yield return happened;
                afterVersion = happened.Version;
            }

            if (isClosed)
                yield break;
            if (unseen.Length == 0)
                await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void Change(Action change)
    {
        TaskCompletionSource before;
        lock (_sync)
        {
            change();
            before = _changed;
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        before.SetResult();
    }
}
