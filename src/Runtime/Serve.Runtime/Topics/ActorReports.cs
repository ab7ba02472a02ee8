namespace Serve.Runtime;

/// <summary>
/// What the actors of this process say of themselves, for other processes to know: gathered by the node from all its processes and published as one
/// topic, a JSON object of what each actor said by its id. The one writer of its set and version.
/// </summary>
public sealed class ActorReports
{
    private readonly Lock gate = new();
    private readonly List<ActorReport> reports = [];
    private TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long version;

    internal long Version => Interlocked.Read(ref version);

    /// <summary>Adds a report.</summary>
    /// <param name="actor">Who reports.</param>
    /// <param name="topic">The topic under which all reports are published.</param>
    /// <param name="write">Writes what it says, as JSON; called from any thread, whenever it has changed.</param>
    /// <returns>The report; dispose it with the actor.</returns>
    public ActorReport Add(ActorId actor, string topic, Func<ReadOnlyMemory<byte>> write)
    {
        var report = new ActorReport(this, actor, topic, write);
        lock (gate)
            reports.Add(report);
        Change();
        return report;
    }

    internal void Remove(ActorReport report)
    {
        bool removed;
        lock (gate)
            removed = reports.Remove(report);
        if (removed)
            Change();
    }

    internal void Change()
    {
        TaskCompletionSource reached;
        lock (gate)
        {
            version++;
            (reached, next) = (next, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        reached.SetResult();
    }

    /// <summary>Completes when something is said that was not at this version.</summary>
    internal async Task WhenChangedAsync(long seen, CancellationToken cancellationToken)
    {
        Task changed;
        lock (gate)
        {
            if (version != seen)
                return;
            changed = next.Task;
        }

        await changed.WaitAsync(cancellationToken);
    }

    /// <summary>What every actor says now. Ask for <see cref="Version"/> before, so that no change is missed.</summary>
    internal IReadOnlyList<(string Topic, ActorId Actor, ReadOnlyMemory<byte> Payload)> Read()
    {
        ActorReport[] all;
        lock (gate)
            all = [.. reports];
        return [.. all.Select(report => (report.Topic, report.Actor, report.Write()))];
    }
}
