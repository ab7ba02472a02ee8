namespace Serve.Control;

/// <summary>Which replicas of a deployment stay and which go. The same world gives the same choice, so that it need not be remembered.</summary>
internal sealed class ReplicaSelection
{
    private ReplicaSelection(DeploymentGoal goal, IReadOnlyCollection<ObservedReplica> live)
    {
        Live = live;
        var current = live.Where(replica => replica.Deployment.Version == goal.Deployment?.Version).ToList();

        // Those that start go before those that run, the youngest before the oldest.
        Kept = [.. current
            .OrderBy(replica => replica.Phase != ReplicaPhase.Running)
            .ThenBy(replica => replica.StartedAt)
            .ThenBy(replica => replica.Rank)
            .Take(goal.TargetReplicas)];
        Ready = Kept.Count(replica => replica.Phase == ReplicaPhase.Running);

        var old = live.Except(current).ToList();
        var replaced = Kept.Where(replica => replica.Phase == ReplicaPhase.Running).Select(replica => replica.Rank).ToHashSet();
        OldRunning = [.. old
            .Where(replica => replica.Phase == ReplicaPhase.Running)
            .OrderBy(replica => goal.FallbackDeployment is { } fallback && replica.Deployment.Version != fallback.Version)
            .ThenBy(replica => replaced.Contains(replica.Rank))
            .ThenBy(replica => replica.StartedAt)
            .ThenBy(replica => replica.Rank)];
        OldNeeded = Math.Clamp(goal.TargetReplicas - Ready, 0, OldRunning.Count);
        OldStarting = goal.FallbackDeployment is { } kept
            ? [.. old.Where(replica => replica.Phase == ReplicaPhase.Starting && replica.Deployment.Version == kept.Version)
                .OrderBy(replica => replica.StartedAt)
                .Take(Math.Max(0, goal.TargetReplicas - OldNeeded))]
            : [];
    }

    /// <summary>Every replica that starts or runs.</summary>
    public IReadOnlyCollection<ObservedReplica> Live { get; }

    /// <summary>Those of the wanted version that stay.</summary>
    public IReadOnlyList<ObservedReplica> Kept { get; }

    /// <summary>How many of them run.</summary>
    public int Ready { get; }

    /// <summary>Those of other versions that run, the ones to keep longest first.</summary>
    public IReadOnlyList<ObservedReplica> OldRunning { get; }

    /// <summary>How many of them are still needed.</summary>
    public int OldNeeded { get; private set; }

    /// <summary>Those of the fallback's version that start and are needed.</summary>
    public IReadOnlyList<ObservedReplica> OldStarting { get; }

    /// <summary>Those of other versions that keep taking requests.</summary>
    public IEnumerable<ObservedReplica> OldKept => OldRunning.Take(OldNeeded);

    /// <summary>Those that go.</summary>
    public IEnumerable<ObservedReplica> Surplus => Live.Except(Kept).Except(OldKept).Except(OldStarting);

    public static ReplicaSelection Of(DeploymentGoal goal, ObservedState observed) =>
        new(goal, [.. observed.ReplicasOf(goal.Id).Where(replica => replica.IsLive)]);

    /// <summary>One old replica goes before its successor is up: there is no room for both.</summary>
    public void ReleaseOneOld() => OldNeeded--;
}
