using Serve.Control.Observed;

namespace Serve.Control.Rollout;

/// <summary>
/// Selects the replicas of a deployment that are kept and those that are surplus, in whole gangs. The same state gives the same selection, so it need not be stored. Replicas
/// on a draining node, and those that are applying a <c>user_config</c> that has been replaced, are selected like those of an old version: kept until they are replaced. The rest of a
/// gang that has lost a replica is surplus.
/// </summary>
internal sealed class ReplicaSelection
{
    private readonly List<ReplicaUnit> _oldRunning;

    private ReplicaSelection(DeploymentGoal goal, ObservedState observed, IReadOnlyCollection<ObservedReplica> live)
    {
        Live = live;
        var units = ReplicaUnit.Of(live);
        var current = units.Where(unit => unit.Members.All(replica => replica.Deployment.Version == goal.Deployment?.Version && observed.NodePhaseOf(replica) != NodePhase.Draining
            && !replica.IsApplyingOtherConfig(goal.Deployment))).ToList();

        // Starting replicas are removed before running ones, the youngest before the oldest.
        List<ReplicaUnit> kept = [.. ReplicaUnit.Cover(
            current.OrderBy(unit => !unit.IsRunning).ThenBy(unit => unit.StartedAt).ThenBy(unit => unit.Rank), goal.TargetReplicas)];
        Kept = [.. kept.SelectMany(unit => unit.Members)];
        KeptRunning = [.. kept.Where(unit => unit.IsRunning).SelectMany(unit => unit.Members)];
        Ready = KeptRunning.Count;

        var old = units.Except(current).ToList();
        var replaced = KeptRunning.Select(replica => replica.Rank).ToHashSet();
        _oldRunning = [.. old
            .Where(unit => unit.IsRunning)
            .OrderBy(unit => goal.FallbackDeployment is { } fallback && unit.Members[0].Deployment.Version != fallback.Version)
            .ThenBy(unit => replaced.Contains(unit.Rank))
            .ThenBy(unit => unit.StartedAt)
            .ThenBy(unit => unit.Rank)];
        OldKept = [.. ReplicaUnit.Cover(_oldRunning, goal.TargetReplicas - Ready)];
        OldStarting = goal.FallbackDeployment is { } wanted
            ? [.. ReplicaUnit.Cover(
                old.Where(unit => !unit.IsRunning && unit.Members[0].Deployment.Version == wanted.Version).OrderBy(unit => unit.StartedAt),
                goal.TargetReplicas - OldNeeded).SelectMany(unit => unit.Members)]
            : [];
    }

    /// <summary>All starting and running replicas.</summary>
    public IReadOnlyCollection<ObservedReplica> Live { get; }

    /// <summary>Replicas of the goal's version that are kept.</summary>
    public IReadOnlyList<ObservedReplica> Kept { get; }

    /// <summary>Those of <see cref="Kept"/> that are running, in gangs that are running completely.</summary>
    public IReadOnlyList<ObservedReplica> KeptRunning { get; }

    /// <summary>Number of <see cref="KeptRunning"/>.</summary>
    public int Ready { get; }

    /// <summary>Running replicas that are to be replaced; the last is stopped first.</summary>
    public IReadOnlyList<ReplicaUnit> OldRunning => _oldRunning;

    /// <summary>The replicas of <see cref="OldRunning"/> that are still needed, and keep receiving requests.</summary>
    public IReadOnlyList<ReplicaUnit> OldKept { get; private set; }

    /// <summary>Number of replicas in <see cref="OldKept"/>.</summary>
    public int OldNeeded => OldKept.Sum(unit => unit.Members.Count);

    /// <summary>Starting replicas of the fallback version that are needed.</summary>
    public IReadOnlyList<ObservedReplica> OldStarting { get; }

    /// <summary>The replicas of <see cref="OldKept"/>.</summary>
    public IEnumerable<ObservedReplica> OldKeptReplicas => OldKept.SelectMany(unit => unit.Members);

    /// <summary>Replicas that are to be stopped.</summary>
    public IEnumerable<ObservedReplica> Surplus => Live.Except(Kept).Except(OldKeptReplicas).Except(OldStarting);

    public static ReplicaSelection Of(DeploymentGoal goal, ObservedState observed) =>
        new(goal, observed, [.. observed.ReplicasOf(goal.Id).Where(replica => replica.IsLive)]);

    /// <summary>Stops kept old replicas before their successors are running, because there are no resources for both.</summary>
    public void ReleaseOld(ReplicaUnit unit)
    {
        _oldRunning.Remove(unit);
        _oldRunning.Add(unit);
        OldKept = [.. OldKept.Where(kept => kept != unit)];
    }
}
