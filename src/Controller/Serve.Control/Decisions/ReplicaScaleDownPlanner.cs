namespace Serve.Control;

/// <summary>Lets replicas go: out of the routes first, then drained, then ended.</summary>
internal static class ReplicaScaleDownPlanner
{
    /// <summary>Decides about those of a deployment that go, and about those that are already going.</summary>
    public static void Plan(ReconciliationPlanBuilder draft, DeploymentGoal goal, IEnumerable<ObservedReplica> leaving)
    {
        foreach (var replica in leaving)
        {
            if (IsOutOfRoutes(replica, draft.Observed))
                Stop(draft, replica, Reason(goal, replica), TimeSpan.FromSeconds(replica.Deployment.Spec.GracefulShutdownTimeoutS));
        }

        foreach (var replica in draft.Observed.ReplicasOf(goal.Id).Where(replica => !replica.IsLive))
        {
            // One that is unwell may hold up the very acknowledgement that others wait for, so nothing waits for its routes.
            if (replica.Phase == ReplicaPhase.Unhealthy)
                Stop(draft, replica, replica.Reason, TimeSpan.FromSeconds(replica.Deployment.Spec.GracefulShutdownTimeoutS));
            else if (replica.InFlight is null && !draft.MustWaitUntil(replica.NotBefore))
                Stop(draft, replica, replica.Reason, TimeSpan.Zero);
        }
    }

    private static bool IsOutOfRoutes(ObservedReplica replica, ObservedState observed) =>
        !replica.WasRouted || (replica.UnroutedAt is { } version && observed.Routes.Acknowledged >= version);

    private static void Stop(ReconciliationPlanBuilder draft, ObservedReplica replica, string reason, TimeSpan drainTimeout) =>
        draft.Add(generation => new ControlAction.StopReplica(generation, reason, replica.Id, drainTimeout));

    private static string Reason(DeploymentGoal goal, ObservedReplica replica) => goal switch
    {
        { IsLeaving: true } => "the deployment goes",
        { Deployment: { } target } when replica.Deployment.Version != target.Version => goal.Failure is null ? "replaced by a new version" : "its version failed",
        _ => $"{goal.TargetReplicas} wanted",
    };
}
