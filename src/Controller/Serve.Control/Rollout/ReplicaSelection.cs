using Serve.Control.Observed;

namespace Serve.Control.Rollout;

/// <summary>
/// Selects the replicas of a deployment that are kept and those that are surplus. The same state gives the same selection, so it need not be stored. Replicas
/// on a draining node, and those that are applying a <c>user_config</c> that has been replaced, are selected like those of an old version: kept until they are replaced.
/// </summary>
internal sealed class ReplicaSelection
{
    private readonly List<ObservedReplica> _oldRunning;

    private ReplicaSelection(DeploymentGoal goal, ObservedState observed, IReadOnlyCollection<ObservedReplica> live)
    {
        Live = live;
        var current = live.Where(replica => replica.Deployment.Version == goal.Deployment?.Version && observed.NodePhaseOf(replica) != NodePhase.Draining
            && !replica.IsApplyingOtherConfig(goal.Deployment)).ToList();

        // Starting replicas are removed before running ones, the youngest before the oldest.
        Kept = [.. current
            .OrderBy(replica => replica.Phase != ReplicaPhase.Running)
            .ThenBy(replica => replica.StartedAt)
            .ThenBy(replica => replica.Rank)
            .Take(goal.TargetReplicas)];
        Ready = Kept.Count(replica => replica.Phase == ReplicaPhase.Running);

        var old = live.Except(current).ToList();
        var replaced = Kept.Where(replica => replica.Phase == ReplicaPhase.Running).Select(replica => replica.Rank).ToHashSet();
        _oldRunning = [.. old
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

    /// <summary>All starting and running replicas.</summary>
    public IReadOnlyCollection<ObservedReplica> Live { get; }

    /// <summary>Replicas of the goal's version that are kept.</summary>
    public IReadOnlyList<ObservedReplica> Kept { get; }

    /// <summary>How many of <see cref="Kept"/> are running.</summary>
    public int Ready { get; }

    /// <summary>Running replicas that are to be replaced; the last is stopped first.</summary>
    public IReadOnlyList<ObservedReplica> OldRunning => _oldRunning;

    /// <summary>How many of <see cref="OldRunning"/> are still needed.</summary>
    public int OldNeeded { get; private set; }

    /// <summary>Starting replicas of the fallback version that are needed.</summary>
    public IReadOnlyList<ObservedReplica> OldStarting { get; }

    /// <summary>The replicas of <see cref="OldRunning"/> that keep receiving requests.</summary>
    public IEnumerable<ObservedReplica> OldKept => OldRunning.Take(OldNeeded);

    /// <summary>Replicas that are to be stopped.</summary>
    public IEnumerable<ObservedReplica> Surplus => Live.Except(Kept).Except(OldKept).Except(OldStarting);

    public static ReplicaSelection Of(DeploymentGoal goal, ObservedState observed) =>
        new(goal, observed, [.. observed.ReplicasOf(goal.Id).Where(replica => replica.IsLive)]);

    /// <summary>Stops a kept old replica before its successor is running, because there are no resources for both.</summary>
    public void ReleaseOld(ObservedReplica replica)
    {
        _oldRunning.Remove(replica);
        _oldRunning.Add(replica);
        OldNeeded--;
    }
}
