namespace Serve.Control;

/// <summary>Where a replica is in its life, as the controller decides by it.</summary>
public enum ReplicaPhase
{
    /// <summary>Its creation is under way.</summary>
    Starting,

    /// <summary>It was created and answers.</summary>
    Running,

    /// <summary>It no longer answers as it should: takes no new requests, is to be stopped, and is replaced meanwhile.</summary>
    Unhealthy,

    /// <summary>It drains and ends.</summary>
    Stopping,

    /// <summary>Nothing of it is left.</summary>
    Gone,
}
