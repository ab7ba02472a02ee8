using Serve.Control.Desired;
using Serve.Control.Observed;

namespace Serve.Control.Rollout;

/// <summary>
/// Plans how the kept replicas of a deployment receive their settings and places. A changed <c>user_config</c> runs user code: it reaches one share of the replicas at a
/// time, each out of the routes until it has applied it, unless no other replica would be left. After a failure it reaches one replica at a time, so that it stops at the first one.
/// Everything else reaches all replicas at once.
/// </summary>
internal sealed class SettingsRollout
{
    private SettingsRollout(IReadOnlySet<ObservedReplica> outOfRotation, bool isComplete, string? progress) =>
        (OutOfRotation, IsComplete, Progress) = (outOfRotation, isComplete, progress);

    /// <summary>Kept replicas that receive no requests.</summary>
    public IReadOnlySet<ObservedReplica> OutOfRotation { get; }

    /// <summary>Whether every kept replica has its final settings.</summary>
    public bool IsComplete { get; }

    /// <summary>Human-readable progress; null if no replica waits for a <c>user_config</c>.</summary>
    public string? Progress { get; }

    /// <summary>Plans the reconfigurations.</summary>
    public static SettingsRollout Plan(ReconciliationPlanBuilder plan, DeploymentGoal goal, ReplicaSelection selection)
    {
        if (goal.Deployment is not { } deployment)
            return new(new HashSet<ObservedReplica>(), isComplete: true, progress: null);
        var (waiting, turn) = SelectTurn(plan.Observed, goal, selection, deployment);
        var leavesOthers = selection.Ready + selection.OldNeeded > turn.Count;
        var places = new RankAssignment(selection.Kept, goal.TargetReplicas);
        var isComplete = true;
        foreach (var replica in selection.Kept)
        {
            var place = places[replica];
            var isPlaced = replica.Place == place;
            if (isPlaced && replica.Deployment.Settings == deployment.Settings && replica.Pending is null)
                continue;
            isComplete = false;
            var mustWait = waiting.Contains(replica) && !(turn.Contains(replica) && (!leavesOthers || ReplicaScaleDownPlanner.IsOutOfRoutes(replica, plan.Observed)));
            if ((mustWait && isPlaced) || replica.Phase != ReplicaPhase.Running || replica.InFlight is not null || plan.MustWaitUntil(replica.NotBefore))
                continue;
            var next = mustWait ? replica.Deployment : deployment;
            plan.Add(generation => new ControlAction.ReconfigureReplica(
                generation, replica.Deployment.Settings == next.Settings ? "rank or world size changed" : "settings changed", replica.Id, replica.Node, next, place));
        }

        return new(leavesOthers ? turn : new HashSet<ObservedReplica>(), isComplete,
            waiting.Count == 0 ? null : $"{selection.Kept.Count - waiting.Count} of {goal.TargetReplicas} replicas have the new user_config");
    }

    // The replicas that have to apply the user_config, and those whose turn it is. A replica that is applying it, or has failed to, keeps its turn.
    private static (HashSet<ObservedReplica> Waiting, HashSet<ObservedReplica> Turn) SelectTurn(
        ObservedState observed, DeploymentGoal goal, ReplicaSelection selection, DeploymentRevision deployment)
    {
        var waiting = selection.Kept.Where(replica => replica.Phase == ReplicaPhase.Running && !replica.HasConfigOf(deployment)).ToHashSet();
        var share = observed.StartHistoryOf(ReplicaStartKey.Of(goal.Id, deployment)).FailedUpdates > 0 ? 1 : goal.Surge;
        return (waiting, [.. waiting
            .OrderByDescending(replica => replica.Pending is { } pending && !replica.HasConfigOf(pending.Deployment))
            .ThenByDescending(replica => replica.NotBefore)
            .ThenBy(replica => replica.Rank)
            .Take(share)]);
    }
}
