using Serve.Routes;
using Serve.Routing.Pickers;
using Serve.Specs;

namespace Serve.Routing;

/// <summary>The second revision of an application, the choice between both, and their counts. Immutable except for the counts.</summary>
public sealed class CanarySplit
{
    private readonly ulong _seed;

    internal CanarySplit(CanaryRoute route, ApplicationRouteEntry entry, RevisionRequestMeter meter)
    {
        (Route, Entry, Meter) = (route, entry, meter);
        Key = route.Key is { } key && RoutingKeyExpression.TryParse(key, out var expression, out _) ? expression : null;
        // Another revision is tried by other sessions.
        _seed = RoutingKeyHash.Of(route.Application, RoutingKeyHash.Empty + (ulong)route.Revision);
    }

    /// <summary>The second revision's route.</summary>
    public CanaryRoute Route { get; }

    /// <summary>The second revision, with the route prefix of the application.</summary>
    public ApplicationRouteEntry Entry { get; }

    /// <summary>Counts the requests to both revisions in this process.</summary>
    public RevisionRequestMeter Meter { get; }

    /// <summary>Expression for the session of an HTTP request; null for none.</summary>
    public RoutingKeyExpression? Key { get; }

    /// <summary>
    /// Returns whether a request is sent to the second revision. A session that is sent there stays there while the percent grows.
    /// </summary>
    /// <param name="session">The session; null to assign the request at random.</param>
    public bool Takes(string? session) => Route.Percent > 0 && Position(session) < Route.Percent;

    /// <summary>Returns whether a request to the first revision is copied to the second.</summary>
    public bool IsShadowed() => Route.ShadowPercent > 0 && Random.Shared.NextDouble() * 100 < Route.ShadowPercent;

    private double Position(string? session) => 100 * (session is null ? Random.Shared.NextDouble() : (RoutingKeyHash.Of(session, _seed) >> 11) * (1.0 / (1UL << 53)));
}

/// <summary>Counts the completed requests to both revisions of an application in this process. Thread-safe.</summary>
public sealed class RevisionRequestMeter
{
    private readonly Counts _stable = new();
    private readonly Counts _canary = new();
    private readonly Counts _shadow = new();

    /// <summary>Counts a request.</summary>
    /// <param name="isCanary">Whether the second revision answered it.</param>
    /// <param name="isError">Whether it failed.</param>
    /// <param name="duration">Its duration.</param>
    public void Count(bool isCanary, bool isError, TimeSpan duration) => (isCanary ? _canary : _stable).Add(isError, duration);

    /// <summary>Counts a copy of a request.</summary>
    /// <param name="isError">Whether it failed.</param>
    /// <param name="duration">Its duration.</param>
    public void CountShadow(bool isError, TimeSpan duration) => _shadow.Add(isError, duration);

    /// <summary>Returns the counts.</summary>
    /// <param name="revision">Number of the second revision.</param>
    public RevisionRequestReport Read(long revision) => new() { Revision = revision, Stable = _stable.Read(), Canary = _canary.Read(), Shadow = _shadow.Read() };

    private sealed class Counts
    {
        private readonly long[] _buckets = new long[RequestCounts.BucketCount];
        private long _errors;

        public void Add(bool isError, TimeSpan duration)
        {
            if (isError)
                Interlocked.Increment(ref _errors);
            Interlocked.Increment(ref _buckets[RequestCounts.BucketOf(duration.TotalMilliseconds)]);
        }

        public RequestCounts Read()
        {
            var errors = Interlocked.Read(ref _errors);
            var requests = 0L;
            var last = -1;
            for (var i = 0; i < _buckets.Length; i++)
            {
                var count = Interlocked.Read(ref _buckets[i]);
                requests += count;
                last = count > 0 ? i : last;
            }

            return requests == 0 ? RequestCounts.None : new(requests, Math.Min(errors, requests), [.. _buckets.AsSpan(0, last + 1)]);
        }
    }
}
