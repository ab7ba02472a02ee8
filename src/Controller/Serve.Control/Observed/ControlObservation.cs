using Serve.Routes;

namespace Serve.Control;

/// <summary>Something the controller learnt: the outcome of an action, or what happened unasked.</summary>
public abstract record ControlObservation
{
    private ControlObservation()
    {
    }

    /// <summary>A replica was created.</summary>
    public sealed record ReplicaStarted(ReplicaId Replica, long Generation, ReplicaAddress Process) : ControlObservation;

    /// <summary>A replica could not be created.</summary>
    public sealed record ReplicaStartFailed(ReplicaId Replica, long Generation, string Error) : ControlObservation;

    /// <summary>A replica found no room.</summary>
    public sealed record ReplicaPlacementFailed(ReplicaId Replica, long Generation, string Message, bool IsPermanent) : ControlObservation;

    /// <summary>A replica took its settings.</summary>
    public sealed record ReplicaReconfigured(ReplicaId Replica, long Generation) : ControlObservation;

    /// <summary>A replica did not take its settings.</summary>
    public sealed record ReplicaReconfigureFailed(ReplicaId Replica, long Generation, string Error) : ControlObservation;

    /// <summary>A replica is gone as asked.</summary>
    public sealed record ReplicaStopped(ReplicaId Replica, long Generation) : ControlObservation;

    /// <summary>Stopping a replica failed.</summary>
    public sealed record ReplicaStopFailed(ReplicaId Replica, long Generation, string Error) : ControlObservation;

    /// <summary>A health check is over; <paramref name="Error"/> is null when the replica is well.</summary>
    public sealed record ReplicaHealthChecked(ReplicaId Replica, long Generation, string? Error) : ControlObservation;

    /// <summary>A replica's process ended unasked.</summary>
    public sealed record ReplicaDied(ReplicaId Replica, string Reason) : ControlObservation;

    /// <summary>A snapshot is in force everywhere.</summary>
    public sealed record RoutesAcknowledged(SnapshotVersion Version) : ControlObservation;

    /// <summary>A snapshot was not acknowledged by all.</summary>
    public sealed record RoutesNotAcknowledged(SnapshotVersion Version, string Error) : ControlObservation;
}
