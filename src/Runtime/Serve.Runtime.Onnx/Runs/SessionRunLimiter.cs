namespace Serve.Runtime.Onnx.Runs;

/// <summary>Limits the number of concurrent runs of a session; further runs wait in FIFO order.</summary>
internal sealed class SessionRunLimiter(int limit)
{
    private readonly Lock _guard = new();
    private readonly LinkedList<QueuedSessionRun> _waiting = [];
    private int _running;

    public int Limit => limit;

    public int Running => Volatile.Read(ref _running);

    public int Waiting
    {
        get
        {
            lock (_guard)
                return _waiting.Count;
        }
    }

    /// <summary>Acquires a slot if one is free and no run is queued.</summary>
    public bool TryEnter()
    {
        lock (_guard)
        {
            if (_running >= limit || _waiting.Count > 0)
                return false;
            _running++;
            return true;
        }
    }

    /// <summary>Acquires a slot, or queues the run.</summary>
    /// <returns>Whether the run may start now.</returns>
    public bool Enter(QueuedSessionRun run)
    {
        lock (_guard)
        {
            if (_running < limit && _waiting.Count == 0)
            {
                _running++;
                return true;
            }

            run.Place = _waiting.AddLast(run);
            return false;
        }
    }

    /// <summary>Releases a slot; the longest waiting run acquires it.</summary>
    /// <returns>The run that acquired the slot; null if none is queued.</returns>
    public QueuedSessionRun? Exit()
    {
        lock (_guard)
        {
            if (_waiting.First is { } first)
            {
                _waiting.RemoveFirst();
                first.Value.Place = null;
                return first.Value;
            }

            _running--;
            return null;
        }
    }

    /// <summary>Removes a run from the queue.</summary>
    /// <returns>Whether it was queued.</returns>
    public bool Remove(QueuedSessionRun run)
    {
        lock (_guard)
        {
            if (run.Place is not { } place)
                return false;
            _waiting.Remove(place);
            run.Place = null;
            return true;
        }
    }

    /// <summary>Removes all runs of one model from the queue.</summary>
    public IReadOnlyList<QueuedSessionRun> RemoveAll(OnnxModel owner)
    {
        lock (_guard)
        {
            var removed = _waiting.Where(run => run.Owner == owner).ToList();
            foreach (var run in removed)
            {
                _waiting.Remove(run.Place!);
                run.Place = null;
            }

            return removed;
        }
    }
}
