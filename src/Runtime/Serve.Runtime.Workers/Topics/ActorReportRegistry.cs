namespace Serve.Runtime;

/// <summary>
/// Reports of the actors of this process, for other processes: the node collects them from all its processes and publishes them as one
/// topic, a JSON object of reports by actor id. Writes its set and version.
/// </summary>
public sealed class ActorReportRegistry
{
    private readonly Lock _gate = new();
    private readonly List<ActorStateReport> _reports = [];
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _version;

    internal long Version => Interlocked.Read(ref _version);

    /// <summary>Adds a report.</summary>
    /// <param name="actor">The reporting actor.</param>
    /// <param name="topic">The topic under which all reports are published.</param>
    /// <param name="write">Serializes the report as JSON; called on any thread after each change.</param>
    /// <returns>The report; dispose it with the actor.</returns>
    public ActorStateReport Add(ActorId actor, string topic, Func<ReadOnlyMemory<byte>> write)
    {
        var report = new ActorStateReport(this, actor, topic, write);
        lock (_gate)
            _reports.Add(report);
        NotifyChanged();
        return report;
    }

    internal void Remove(ActorStateReport report)
    {
        bool removed;
        lock (_gate)
            removed = _reports.Remove(report);
        if (removed)
            NotifyChanged();
    }

    internal void NotifyChanged()
    {
        TaskCompletionSource reached;
        lock (_gate)
        {
            _version++;
            (reached, _next) = (_next, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        reached.SetResult();
    }

    /// <summary>Completes when a report has changed since this version.</summary>
    internal async Task WhenChangedAsync(long seen, CancellationToken cancellationToken)
    {
        Task changed;
        lock (_gate)
        {
            if (_version != seen)
                return;
            changed = _next.Task;
        }

        await changed.WaitAsync(cancellationToken);
    }

    /// <summary>Reads all current reports. Read <see cref="Version"/> before, so that no change is missed.</summary>
    internal IReadOnlyList<(string Topic, ActorId Actor, ReadOnlyMemory<byte> Payload)> Read()
    {
        ActorStateReport[] all;
        lock (_gate)
            all = [.. _reports];
        return [.. all.Select(report => (report.Topic, report.Actor, report.Write()))];
    }
}
