using Serve.Calls;
using Serve.Routes;

namespace Serve.Routing;

/// <summary>
/// One replica as this router sees it: how much it has given it and whether it lately refused. Lives as long as snapshots list the replica;
/// its counters are written by whoever takes and returns leases.
/// </summary>
/// <param name="route">The replica and its process.</param>
/// <param name="target">What calls it.</param>
public sealed class ReplicaSlot(ReplicaRoute route, ICallTarget target)
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMilliseconds(32);

    // A replica that said it is gone is asked again after this if no snapshot has come: a lost snapshot must not lose a replica for ever.
    private static readonly TimeSpan GoneBackoff = TimeSpan.FromSeconds(10);

    private int _ongoing;
    private int _refusals;
    private volatile bool _isGone;
    private long _avoidUntil;

    /// <summary>The replica and its process.</summary>
    public ReplicaRoute Route { get; } = route;

    /// <summary>What calls it.</summary>
    public ICallTarget Target { get; } = target;

    /// <summary>How many leases on it are out.</summary>
    public int Ongoing => Volatile.Read(ref _ongoing);

    /// <summary>Which models it has; null while it has not said that it multiplexes any. Written under the router's lock of models.</summary>
    internal ReplicaModelTracker? Models { get; set; }

    /// <summary>Whether it has said that it takes nothing more.</summary>
    internal bool IsGone => _isGone;

    /// <summary>The timestamp before which it is not picked; 0 when it may be picked now.</summary>
    internal long AvoidUntil => Volatile.Read(ref _avoidUntil);

    internal bool TryEnter(int limit)
    {
        var seen = Volatile.Read(ref _ongoing);
        while (seen < limit)
        {
            var found = Interlocked.CompareExchange(ref _ongoing, seen + 1, seen);
            if (found == seen)
                return true;
            seen = found;
        }

        return false;
    }

    internal bool HasCapacity(int limit, TimeProvider time) =>
        Ongoing < limit && (AvoidUntil == 0 || AvoidUntil <= time.GetTimestamp());

    internal void Exit() => Interlocked.Decrement(ref _ongoing);

    internal void BackOff(bool gone, TimeProvider time)
    {
        _isGone |= gone;
        var backoff = gone
            ? GoneBackoff
            : TimeSpan.FromTicks(Math.Min(FirstBackoff.Ticks << Math.Min(_refusals++, 8), LongestBackoff.Ticks));
        var ticks = (long)(backoff.TotalSeconds * time.TimestampFrequency);
        Volatile.Write(ref _avoidUntil, Math.Max(1, time.GetTimestamp() + ticks));
    }

    /// <summary>A request on it has ended: it has room, unless it is on its way out.</summary>
    internal void OnRequestCompleted()
    {
        if (!_isGone)
            ResetBackoff();
    }

    /// <summary>It may be picked again at once.</summary>
    internal void ResetBackoff()
    {
        // Read first: this runs with every lease, and writing would take the cache line from the other cores.
        if (Volatile.Read(ref _avoidUntil) == 0)
            return;
        _isGone = false;
        _refusals = 0;
        Volatile.Write(ref _avoidUntil, 0);
    }
}
