namespace Serve.Control.Observed;

/// <summary>Phase of a replica, on which the controller bases its decisions.</summary>
public enum ReplicaPhase
{
    /// <summary>It is being created.</summary>
    Starting,

    /// <summary>It was created and serves requests.</summary>
    Running,

    /// <summary>It failed its health checks: it receives no new requests, is replaced, and is to be stopped.</summary>
    Unhealthy,

    /// <summary>It is being drained and stopped.</summary>
    Stopping,

    /// <summary>It has been removed.</summary>
    Gone,
}

/// <summary>Event that moves a replica to another phase.</summary>
public enum ReplicaPhaseTrigger
{
    /// <summary>Its creation succeeded.</summary>
    Started,

    /// <summary>Its creation failed.</summary>
    StartFailed,

    /// <summary>Too many health checks failed.</summary>
    HealthLost,

    /// <summary>Its process exited unexpectedly.</summary>
    Died,

    /// <summary>The controller decided to stop it.</summary>
    StopRequested,

    /// <summary>It has been stopped.</summary>
    Stopped,
}
