namespace Serve.Runtime.Workers.Processes;

/// <summary>Where a worker is in its life. The moves are in <see cref="WorkerProcessPool"/>.</summary>
internal enum WorkerPhase
{
    /// <summary>Its process starts; creators wait for it.</summary>
    Starting,

    /// <summary>It holds actors, or is about to.</summary>
    Running,

    /// <summary>The worker is no longer needed and has been asked to exit.</summary>
    Ending,

    /// <summary>Its process is reaped.</summary>
    Ended,
}
