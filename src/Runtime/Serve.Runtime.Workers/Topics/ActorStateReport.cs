namespace Serve.Runtime;

/// <summary>What one actor says of itself under one topic, until it is disposed. Made by <see cref="ActorReportRegistry.Add"/>.</summary>
public sealed class ActorStateReport : IDisposable
{
    private readonly ActorReportRegistry _reports;
    private readonly Func<ReadOnlyMemory<byte>> _write;

    internal ActorStateReport(ActorReportRegistry reports, ActorId actor, string topic, Func<ReadOnlyMemory<byte>> write)
    {
        this._reports = reports;
        this._write = write;
        Actor = actor;
        Topic = topic;
    }

    internal ActorId Actor { get; }

    internal string Topic { get; }

    /// <summary>Says that what it says is another now. Cheap: it is written when somebody is ready to take it, so many changes in a row are one.</summary>
    public void NotifyChanged() => _reports.NotifyChanged();

    /// <summary>Says nothing more.</summary>
    public void Dispose() => _reports.Remove(this);

    internal ReadOnlyMemory<byte> Write() => _write();
}
