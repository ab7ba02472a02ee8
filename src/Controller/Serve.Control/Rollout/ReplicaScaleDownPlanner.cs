using Serve.Control.Observed;

namespace Serve.Control.Rollout;

/// <summary>Plans the removal of replicas: first from the routes of all nodes, then drained, then stopped.</summary>
internal static class ReplicaScaleDownPlanner
{
    /// <summary>Plans the stops of a deployment's surplus replicas, and of those that are unhealthy or whose stop has failed.</summary>
    public static void Plan(ReconciliationPlanBuilder plan, DeploymentGoal goal, IEnumerable<ObservedReplica> surplus)
    {
        foreach (var replica in surplus)
        {
            if (IsOutOfRoutes(replica, plan.Observed))
                Stop(plan, replica, Reason(goal, replica, plan.Observed), GracefulTimeout(replica));
        }

        foreach (var replica in plan.Observed.ReplicasOf(goal.Id).Where(replica => !replica.IsLive))
        {
            // An unhealthy replica may delay the very acknowledgement that a regular stop waits for, so it is stopped without waiting.
            if (replica.Phase == ReplicaPhase.Unhealthy)
                Stop(plan, replica, replica.Reason, GracefulTimeout(replica));
            else if (replica.InFlight is null && !plan.MustWaitUntil(replica.NotBefore))
                Stop(plan, replica, replica.Reason, TimeSpan.Zero);
        }
    }

    /// <summary>Returns whether no node routes requests to a replica.</summary>
    public static bool IsOutOfRoutes(ObservedReplica replica, ObservedState observed) => !replica.WasRouted
        || (replica.UnroutedAt is { } version
            && observed.Nodes.Values.All(node => !node.IsReachable || observed.Routes.Acknowledged.GetValueOrDefault(node.Id) >= version));

    private static void Stop(ReconciliationPlanBuilder plan, ObservedReplica replica, string reason, TimeSpan drainTimeout)
    {
        // An unreachable node cannot be asked to stop anything; it either comes back or is removed.
        if (plan.Observed.NodePhaseOf(replica) == NodePhase.Unreachable)
            return;
        plan.Add(generation => new ControlAction.StopReplica(generation, reason, replica.Id, replica.Node, drainTimeout));
    }

    private static TimeSpan GracefulTimeout(ObservedReplica replica) => TimeSpan.FromSeconds(replica.Deployment.Spec.GracefulShutdownTimeoutS);

    private static string Reason(DeploymentGoal goal, ObservedReplica replica, ObservedState observed) => goal switch
    {
        { IsLeaving: true } => "the deployment is being removed",
        { Deployment: { } deployment } when replica.Deployment.Version != deployment.Version => goal.Failure is null ? "replaced by a new version" : "its version failed to start",
        _ when replica.Gang is { } gang && !gang.Members.All(member => observed.Replicas.GetValueOrDefault(member) is { IsLive: true }) => "another replica of its gang has stopped",
        _ when replica.IsApplyingOtherConfig(goal.Deployment) => "it was still applying settings that have been replaced",
        _ when observed.NodePhaseOf(replica) == NodePhase.Draining => $"node {replica.Node} is draining",
        _ => goal.DescribeTarget(),
    };
}
