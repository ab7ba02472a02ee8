namespace Serve.Runtime.Onnx.Runs;

/// <summary>Lets so many runs of a session be under way at a time; others wait in the order in which they came. The one writer of who waits.</summary>
internal sealed class RunGate(int limit)
{
    private readonly Lock guard = new();
    private readonly LinkedList<QueuedRun> waiting = [];
    private int running;

    public int Limit => limit;

    public int Running => Volatile.Read(ref running);

    public int Waiting
    {
        get
        {
            lock (guard)
                return waiting.Count;
        }
    }

    /// <summary>Takes a place if one is free and nobody waits for it.</summary>
    public bool TryEnter()
    {
        lock (guard)
        {
            if (running >= limit || waiting.Count > 0)
                return false;
            running++;
            return true;
        }
    }

    /// <summary>Takes a place, or a place in the queue.</summary>
    /// <returns>Whether it may start at once.</returns>
    public bool Enter(QueuedRun run)
    {
        lock (guard)
        {
            if (running < limit && waiting.Count == 0)
            {
                running++;
                return true;
            }

            run.Place = waiting.AddLast(run);
            return false;
        }
    }

    /// <summary>Gives a place up; it goes to the one that has waited longest.</summary>
    /// <returns>Who has it now; null when nobody waits.</returns>
    public QueuedRun? Exit()
    {
        lock (guard)
        {
            if (waiting.First is { } first)
            {
                waiting.RemoveFirst();
                first.Value.Place = null;
                return first.Value;
            }

            running--;
            return null;
        }
    }

    /// <summary>Takes a run out of the queue.</summary>
    /// <returns>Whether it was still in there.</returns>
    public bool Remove(QueuedRun run)
    {
        lock (guard)
        {
            if (run.Place is not { } place)
                return false;
            waiting.Remove(place);
            run.Place = null;
            return true;
        }
    }

    /// <summary>Takes all runs of one model out of the queue.</summary>
    public IReadOnlyList<QueuedRun> RemoveAll(OnnxModel owner)
    {
        lock (guard)
        {
            var removed = waiting.Where(run => run.Owner == owner).ToList();
            foreach (var run in removed)
            {
                waiting.Remove(run.Place!);
                run.Place = null;
            }

            return removed;
        }
    }
}
