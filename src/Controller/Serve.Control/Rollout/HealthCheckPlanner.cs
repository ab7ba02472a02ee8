using Serve.Control.Observed;

namespace Serve.Control.Rollout;

/// <summary>Plans the health checks that are due.</summary>
internal static class HealthCheckPlanner
{
    /// <summary>Plans the health checks of replicas that keep running. Replicas of unreachable nodes are not checked.</summary>
    public static void Plan(ReconciliationPlanBuilder plan, IEnumerable<ObservedReplica> replicas)
    {
        foreach (var replica in replicas)
        {
            if (replica.Phase != ReplicaPhase.Running || replica.CheckInFlight is not null
                || plan.Observed.NodePhaseOf(replica) == NodePhase.Unreachable || plan.MustWaitUntil(replica.NextCheckAt))
                continue;
            plan.Add(generation => new ControlAction.CheckReplicaHealth(
                generation, "due", replica.Id, replica.Node, TimeSpan.FromSeconds(replica.Deployment.Spec.HealthCheckTimeoutS)));
        }
    }
}
