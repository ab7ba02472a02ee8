namespace Serve.Control;

/// <summary>What moves a replica from one phase to the next.</summary>
public enum ReplicaPhaseTrigger
{
    /// <summary>Its creation succeeded.</summary>
    Started,

    /// <summary>Its creation failed.</summary>
    StartFailed,

    /// <summary>Its health checks failed too often.</summary>
    HealthLost,

    /// <summary>Its process ended without being asked to.</summary>
    Died,

    /// <summary>The controller decided that it goes.</summary>
    StopRequested,

    /// <summary>It has been stopped.</summary>
    Stopped,
}
