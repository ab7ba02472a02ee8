namespace Serve.Runtime;

/// <summary>Report of one actor under one topic, until it is disposed. Created by <see cref="ActorReportRegistry.Add"/>.</summary>
public sealed class ActorStateReport : IDisposable
{
    private readonly ActorReportRegistry _reports;
    private readonly Func<ReadOnlyMemory<byte>> _write;

    internal ActorStateReport(ActorReportRegistry reports, ActorId actor, string topic, Func<ReadOnlyMemory<byte>> write)
    {
        _reports = reports;
        _write = write;
        Actor = actor;
        Topic = topic;
    }

    internal ActorId Actor { get; }

    internal string Topic { get; }

    /// <summary>Notifies that the report has changed. Cheap: it is serialized when it is collected, so many changes in a row are one.</summary>
    public void NotifyChanged() => _reports.NotifyChanged();

    /// <summary>Removes the report.</summary>
    public void Dispose() => _reports.Remove(this);

    internal ReadOnlyMemory<byte> Write() => _write();
}
