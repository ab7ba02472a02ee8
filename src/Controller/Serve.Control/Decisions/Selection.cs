namespace Serve.Control;

/// <summary>Which replicas of a deployment stay and which go. The same world gives the same choice, so that it need not be remembered.</summary>
internal sealed class Selection
{
    private Selection(DeploymentGoal goal, IReadOnlyCollection<ObservedReplica> live)
    {
        Live = live;
        var current = live.Where(replica => replica.Deployment.Version == goal.Target?.Version).ToList();

        // Those that start go before those that run, the youngest before the oldest.
        Stay = [.. current
            .OrderBy(replica => replica.Phase != ReplicaPhase.Running)
            .ThenBy(replica => replica.StartedAt)
            .ThenBy(replica => replica.Rank)
            .Take(goal.Wanted)];
        Ready = Stay.Count(replica => replica.Phase == ReplicaPhase.Running);

        var old = live.Except(current).ToList();
        var replaced = Stay.Where(replica => replica.Phase == ReplicaPhase.Running).Select(replica => replica.Rank).ToHashSet();
        OldRunning = [.. old
            .Where(replica => replica.Phase == ReplicaPhase.Running)
            .OrderBy(replica => goal.Fallback is { } fallback && replica.Deployment.Version != fallback.Version)
            .ThenBy(replica => replaced.Contains(replica.Rank))
            .ThenBy(replica => replica.StartedAt)
            .ThenBy(replica => replica.Rank)];
        OldNeeded = Math.Clamp(goal.Wanted - Ready, 0, OldRunning.Count);
        OldStarting = goal.Fallback is { } kept
            ? [.. old.Where(replica => replica.Phase == ReplicaPhase.Starting && replica.Deployment.Version == kept.Version)
                .OrderBy(replica => replica.StartedAt)
                .Take(Math.Max(0, goal.Wanted - OldNeeded))]
            : [];
    }

    /// <summary>Every replica that starts or runs.</summary>
    public IReadOnlyCollection<ObservedReplica> Live { get; }

    /// <summary>Those of the wanted version that stay.</summary>
    public IReadOnlyList<ObservedReplica> Stay { get; }

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
    public IEnumerable<ObservedReplica> Leave => Live.Except(Stay).Except(OldKept).Except(OldStarting);

    public static Selection Of(DeploymentGoal goal, ObservedState observed) =>
        new(goal, [.. observed.Of(goal.Id).Where(replica => replica.IsLive)]);

    /// <summary>One old replica goes before its successor is up: there is no room for both.</summary>
    public void GiveUpOne() => OldNeeded--;
}
