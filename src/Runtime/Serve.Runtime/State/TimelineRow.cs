namespace Serve.Runtime.State;

/// <summary>A row of a timeline: what follows one another on a thread of a process, or in an actor. Written by <see cref="TimelineRowLayout"/>.</summary>
internal sealed class TimelineRow(int process, int thread, string name)
{
    /// <summary>The row's process, as the trace numbers it.</summary>
    public int Process => process;

    /// <summary>The row in the process, from 1.</summary>
    public int Thread => thread;

    /// <summary>For people.</summary>
    public string Name => name;

    /// <summary>When what it holds last ends.</summary>
    public DateTimeOffset BusyUntil { get; set; }
}
