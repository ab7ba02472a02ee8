using System.Collections.Immutable;

namespace Serve.Control.Autoscaling;

/// <summary>State of the autoscaling of one deployment between decisions. Written by <see cref="Autoscaler"/>.</summary>
public sealed record AutoscalingState
{
    /// <summary>Number of decisions that are kept.</summary>
    public const int MaxDecisions = 10;

    /// <summary>State of a deployment that was never decided on.</summary>
    public static AutoscalingState Initial { get; } = new();

    /// <summary>Load of the look-back period.</summary>
    public LoadHistory History { get; init; } = LoadHistory.Empty;

    /// <summary>Since when more replicas have been needed; null if none are.</summary>
    public DateTimeOffset? UpSince { get; init; }

    /// <summary>Since when fewer replicas have been needed; null if they are not.</summary>
    public DateTimeOffset? DownSince { get; init; }

    /// <summary>Since when there have been no requests; null while there are.</summary>
    public DateTimeOffset? IdleSince { get; init; }

    /// <summary>Whether the target was raised and has not been reached since.</summary>
    public bool IsUpscaling { get; init; }

    /// <summary>Number of replicas that the load needs, before bounds and delays.</summary>
    public int Desired { get; init; }

    /// <summary>Human-readable reason of the current target, and of a delay of the next decision.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Error of the user's policy; null if its last run succeeded.</summary>
    public string? PolicyError { get; init; }

    /// <summary>The newest changes of the target, oldest first.</summary>
    public ImmutableArray<ScalingDecision> Decisions { get; init; } = [];

    /// <summary>Returns this state after a change of the target.</summary>
    internal AutoscalingState WithDecision(DateTimeOffset now, int from, int to, string reason) => this with
    {
        UpSince = null,
        DownSince = null,
        IsUpscaling = to > from,
        Reason = reason,
        Decisions = [.. Decisions.Skip(Math.Max(0, Decisions.Length - MaxDecisions + 1)), new(now, from, to, reason)],
    };
}

/// <summary>A change of a replica target.</summary>
/// <param name="At">When it was decided.</param>
/// <param name="From">The target before.</param>
/// <param name="To">The target after.</param>
/// <param name="Reason">Human-readable reason.</param>
public sealed record ScalingDecision(DateTimeOffset At, int From, int To, string Reason);

/// <summary>Load of a deployment in the routers of one or more processes.</summary>
/// <param name="Queued">Requests that wait for a replica.</param>
/// <param name="Ongoing">Requests that are being processed, by replica.</param>
/// <param name="IsActive">Whether requests arrived recently, however short they were.</param>
public sealed record DeploymentLoad(int Queued, ImmutableSortedDictionary<string, int> Ongoing, bool IsActive)
{
    /// <summary>No load.</summary>
    public static DeploymentLoad None { get; } = new(0, ImmutableSortedDictionary.Create<string, int>(StringComparer.Ordinal), false);

    /// <summary>All requests, queued and ongoing.</summary>
    public int Total => Queued + Ongoing.Values.Sum();

    /// <summary>Returns the sum of two loads.</summary>
    public DeploymentLoad Plus(DeploymentLoad other)
    {
        var ongoing = Ongoing.ToBuilder();
        foreach (var (replica, count) in other.Ongoing)
            ongoing[replica] = ongoing.GetValueOrDefault(replica) + count;
        return new(Queued + other.Queued, ongoing.ToImmutable(), IsActive || other.IsActive);
    }
}
