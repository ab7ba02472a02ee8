using System.Runtime.CompilerServices;
using System.Text.Json;
using Serve.Calls;
using Serve.Routes;

namespace Serve.Routing;

/// <summary>
/// State of one replica in this router: its leases and its back-off. Exists as long as snapshots contain the replica. Thread-safe; written by the holders of
/// leases.
/// </summary>
/// <param name="route">The replica's route.</param>
/// <param name="target">The call target.</param>
/// <param name="limit">Maximum number of leases.</param>
/// <param name="time">Clock of back-offs.</param>
public sealed class ReplicaSlot(ReplicaRoute route, ICallTarget target, int limit, TimeProvider time) : RoutableReplica
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMilliseconds(32);

    // A replica that reported that it stops is tried again after this time without a snapshot: a lost snapshot must not exclude it indefinitely.
    private static readonly TimeSpan GoneBackoff = TimeSpan.FromSeconds(10);

    private int _ongoing;
    private int _refusals;
    private volatile bool _isGone;
    private long _avoidUntil;
    private volatile StrongBox<JsonElement>? _stats;

    /// <summary>The replica's route.</summary>
    public ReplicaRoute Route { get; } = route;

    /// <summary>The call target.</summary>
    public ICallTarget Target { get; } = target;

    /// <inheritdoc/>
    public override string ReplicaId => Route.ReplicaId;

    /// <inheritdoc/>
    public override string NodeName => Route.Address.Node.Value;

    /// <inheritdoc/>
    public override bool IsAvailable => Ongoing < Limit && (AvoidUntil == 0 || AvoidUntil <= time.GetTimestamp());

    /// <inheritdoc/>
    public override JsonElement? Stats => _stats?.Value;

    /// <summary>Number of leases.</summary>
    public override int Ongoing => Volatile.Read(ref _ongoing);

    /// <summary>Maximum number of leases. Set when a snapshot is applied.</summary>
    internal int Limit { get; set; } = limit;

    /// <summary>The replica's models; null until it reports multiplexed models. Guarded by the router's lock of its model data.</summary>
    internal ReplicaModelTracker? Models { get; set; }

    /// <summary>Whether the replica has reported that it stops.</summary>
    internal bool IsGone => _isGone;

    /// <summary>Timestamp before which the replica is not picked; 0 if it may be picked now.</summary>
    internal long AvoidUntil => Volatile.Read(ref _avoidUntil);

    /// <summary>Takes a lease if there are fewer than <see cref="Limit"/>.</summary>
    internal bool TryEnter()
    {
        var seen = Volatile.Read(ref _ongoing);
        while (seen < Limit)
        {
            var found = Interlocked.CompareExchange(ref _ongoing, seen + 1, seen);
            if (found == seen)
                return true;
            seen = found;
        }

        return false;
    }

    /// <summary>Takes a lease, however many there are.</summary>
    internal void Enter() => Interlocked.Increment(ref _ongoing);

    /// <summary>Applies the replica's newest routing statistics.</summary>
    internal void ApplyStats(JsonElement stats) => _stats = stats.ValueKind == JsonValueKind.Null ? null : new(stats);

    /// <summary>Returns a lease.</summary>
    internal void Exit() => Interlocked.Decrement(ref _ongoing);

    /// <summary>Excludes the replica for a time that doubles with each refusal.</summary>
    internal void BackOff(bool gone)
    {
        _isGone |= gone;
        var backoff = gone
            ? GoneBackoff
            : TimeSpan.FromTicks(Math.Min(FirstBackoff.Ticks << Math.Min(_refusals++, 8), LongestBackoff.Ticks));
        var ticks = (long)(backoff.TotalSeconds * time.TimestampFrequency);
        Volatile.Write(ref _avoidUntil, Math.Max(1, time.GetTimestamp() + ticks));
    }

    /// <summary>Ends the back-off after a request that the replica completed, unless it stops.</summary>
    internal void OnRequestCompleted()
    {
        if (!_isGone)
            ResetBackoff();
    }

    /// <summary>Ends the back-off.</summary>
    internal void ResetBackoff()
    {
        // Read first: this runs for every lease, and a write would take the cache line from the other cores.
        if (Volatile.Read(ref _avoidUntil) == 0)
            return;
        _isGone = false;
        _refusals = 0;
        Volatile.Write(ref _avoidUntil, 0);
    }
}
