using System.Collections.Immutable;
using Serve.Control.Observed;
using Serve.Control.Rollout;

namespace Serve.Control.Placement;

/// <summary>
/// Decides whether a rollout has the resources to start a new replica while all old ones still run, and, if not, which old replica to stop first. The answer
/// does not change while the rollout proceeds.
/// </summary>
internal sealed class SurgeCapacity(ReplicaPlacer placer, ObservedState observed, DeploymentGoal goal, ReplicaSelection selection)
{
    /// <summary>Returns whether the old replicas at full strength leave no resources for a new one.</summary>
    public bool IsLacking()
    {
        if (goal.Deployment is not { } deployment || goal.IsFrozen || (selection.OldRunning.Count == 0 && goal.FallbackDeployment is null))
            return false;
        var demand = ResourceAmounts.Of(deployment.Spec.Resources);
        if (demand.Units.IsEmpty)
            return false;
        var history = observed.StartHistoryOf(ReplicaStartKey.Of(goal.Id, deployment));
        if (history.Shortage is not null)
            return true;

        // Replays the rollout on the resources that are free or used by this deployment: the replicas that are ready, the old ones that are needed until
        // the others are, and one more new replica.
        var trial = placer.Copy();
        foreach (var replica in selection.Live)
            trial.Release(replica);
        foreach (var replica in selection.KeptRunning)
            trial.Place(replica.Node, goal.Id, replica.Demand);
        var oldNeeded = Math.Max(0, goal.TargetReplicas - selection.Ready);
        foreach (var replica in ReplicaUnit.Cover(selection.OldRunning, oldNeeded).SelectMany(unit => unit.Members))
            trial.Place(replica.Node, goal.Id, replica.Demand);
        if (goal.FallbackDeployment is { } fallback)
        {
            for (var missing = oldNeeded - selection.OldRunning.Sum(unit => unit.Members.Count); missing > 0; missing--)
                trial.TryPlace(goal.Id, ResourceAmounts.Of(fallback.Spec.Resources), history.UnsuitableNodes);
        }

        return trial.TryPlace(goal.Id, demand, history.UnsuitableNodes, deployment.Spec.Gang, out _) is null;
    }

    /// <summary>Returns the old replica, or gang, whose resources allow a new one to start; null if none has to be, or can be, stopped now.</summary>
    public ReplicaUnit? FindUnitToRelease()
    {
        if (selection.OldNeeded == 0 || selection.Kept.Count >= goal.TargetReplicas
            || selection.Ready < selection.Kept.Count || selection.Ready + selection.OldNeeded < goal.TargetReplicas)
            return null;

        // The replicas that are being stopped may free the resources by themselves.
        if (observed.Replicas.Values.Any(replica => !replica.IsLive && !replica.Demand.Units.IsEmpty))
            return null;
        var demand = ResourceAmounts.Of(goal.Deployment!.Spec.Resources);
        return selection.OldKept.Reverse().FirstOrDefault(unit =>
        {
            var trial = placer.Copy();
            foreach (var replica in unit.Members)
                trial.Release(replica);
            return trial.TryPlace(goal.Id, demand, ImmutableHashSet<NodeId>.Empty, goal.Deployment.Spec.Gang, out _) is not null;
        });
    }
}
