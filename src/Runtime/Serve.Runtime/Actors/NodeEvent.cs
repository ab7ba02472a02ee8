namespace Serve.Runtime;

/// <summary>Something that happened to an actor or a worker without being asked for.</summary>
public abstract record NodeEvent
{
    private NodeEvent()
    {
    }

    /// <summary>An actor that had been created is gone: its worker ended. Its resources are free and its worker is reaped.</summary>
    /// <param name="Id">The actor.</param>
    /// <param name="Reason">How it ended, for people: exit code or signal, and the last lines of its error output.</param>
    public sealed record ActorDied(ActorId Id, string Reason) : NodeEvent;

    /// <summary>A worker process ended without being asked to.</summary>
    /// <param name="WorkerId">The worker.</param>
    /// <param name="ProcessId">Its process id in the operating system.</param>
    /// <param name="Reason">How it ended, for people.</param>
    public sealed record WorkerDied(string WorkerId, int ProcessId, string Reason) : NodeEvent;
}
