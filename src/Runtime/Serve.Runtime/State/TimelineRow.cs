namespace Serve.Runtime.State;

/// <summary>Row of a timeline: events that follow each other on a thread of a process or in an actor. Written by <see cref="TimelineRowLayout"/>.</summary>
internal sealed class TimelineRow(int process, int thread, string name)
{
    /// <summary>Process number in the trace.</summary>
    public int Process => process;

    /// <summary>Row number in the process, from 1.</summary>
    public int Thread => thread;

    /// <summary>Display name.</summary>
    public string Name => name;

    /// <summary>End of the last event in the row.</summary>
    public DateTimeOffset BusyUntil { get; set; }
}
