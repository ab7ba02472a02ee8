using Serve.Routes;

namespace Serve.Control;

/// <summary>Something the controller learnt: the outcome of an action, or what happened unasked.</summary>
public abstract record Observation
{
    private Observation()
    {
    }

    /// <summary>A replica was created.</summary>
    public sealed record Started(ReplicaId Replica, long Generation, ProcessRoute Process) : Observation;

    /// <summary>A replica could not be created.</summary>
    public sealed record StartFailed(ReplicaId Replica, long Generation, string Error) : Observation;

    /// <summary>A replica found no room.</summary>
    public sealed record StartShort(ReplicaId Replica, long Generation, string Message, bool IsPermanent) : Observation;

    /// <summary>A replica took its settings.</summary>
    public sealed record Reconfigured(ReplicaId Replica, long Generation) : Observation;

    /// <summary>A replica did not take its settings.</summary>
    public sealed record ReconfigureFailed(ReplicaId Replica, long Generation, string Error) : Observation;

    /// <summary>A replica is gone as asked.</summary>
    public sealed record Stopped(ReplicaId Replica, long Generation) : Observation;

    /// <summary>Stopping a replica failed.</summary>
    public sealed record StopFailed(ReplicaId Replica, long Generation, string Error) : Observation;

    /// <summary>A health check is over; <paramref name="Error"/> is null when the replica is well.</summary>
    public sealed record HealthChecked(ReplicaId Replica, long Generation, string? Error) : Observation;

    /// <summary>A replica's process ended unasked.</summary>
    public sealed record Died(ReplicaId Replica, string Reason) : Observation;

    /// <summary>A snapshot is in force everywhere.</summary>
    public sealed record RoutesAcknowledged(long Version) : Observation;

    /// <summary>A snapshot was not acknowledged by all.</summary>
    public sealed record RoutesRefused(long Version, string Error) : Observation;
}
