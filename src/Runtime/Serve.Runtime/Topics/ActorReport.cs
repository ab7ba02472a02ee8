namespace Serve.Runtime;

/// <summary>What one actor says of itself under one topic, until it is disposed. Made by <see cref="ActorReports.Add"/>.</summary>
public sealed class ActorReport : IDisposable
{
    private readonly ActorReports reports;
    private readonly Func<ReadOnlyMemory<byte>> write;

    internal ActorReport(ActorReports reports, ActorId actor, string topic, Func<ReadOnlyMemory<byte>> write)
    {
        this.reports = reports;
        this.write = write;
        Actor = actor;
        Topic = topic;
    }

    internal ActorId Actor { get; }

    internal string Topic { get; }

    /// <summary>Says that what it says is another now. Cheap: it is written when somebody is ready to take it, so many changes in a row are one.</summary>
    public void Change() => reports.Change();

    /// <summary>Says nothing more.</summary>
    public void Dispose() => reports.Remove(this);

    internal ReadOnlyMemory<byte> Write() => write();
}
