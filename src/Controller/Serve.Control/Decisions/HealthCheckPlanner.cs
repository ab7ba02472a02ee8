namespace Serve.Control;

/// <summary>Asks replicas whether they are well, when it is time.</summary>
internal static class HealthCheckPlanner
{
    /// <summary>Decides about replicas that are meant to go on running.</summary>
    public static void Plan(ReconciliationPlanBuilder draft, IEnumerable<ObservedReplica> replicas)
    {
        foreach (var replica in replicas)
        {
            if (replica.Phase != ReplicaPhase.Running || replica.CheckInFlight is not null || draft.MustWaitUntil(replica.NextCheckAt))
                continue;
            draft.Add(generation => new ControlAction.CheckReplicaHealth(
                generation, "due", replica.Id, TimeSpan.FromSeconds(replica.Deployment.Spec.HealthCheckTimeoutS)));
        }
    }
}
