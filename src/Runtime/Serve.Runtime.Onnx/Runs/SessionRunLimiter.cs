namespace Serve.Runtime.Onnx.Runs;

/// <summary>Lets so many runs of a session be under way at a time; others wait in the order in which they came. The one writer of who waits.</summary>
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

    /// <summary>Takes a place if one is free and nobody waits for it.</summary>
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

    /// <summary>Takes a place, or a place in the queue.</summary>
    /// <returns>Whether it may start at once.</returns>
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

    /// <summary>Gives a place up; it goes to the one that has waited longest.</summary>
    /// <returns>Who has it now; null when nobody waits.</returns>
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

    /// <summary>Takes a run out of the queue.</summary>
    /// <returns>Whether it was still in there.</returns>
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

    /// <summary>Takes all runs of one model out of the queue.</summary>
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
