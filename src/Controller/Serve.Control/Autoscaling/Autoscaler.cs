using System.Collections.Immutable;
using Serve.Control.Canaries;
using Serve.Control.Desired;
using Serve.Control.Observed;

namespace Serve.Control.Autoscaling;

/// <summary>Sets the replica targets of all deployments that follow their load. Pure; runs before each decision of the <see cref="Reconciler"/>.</summary>
public static class Autoscaler
{
    /// <summary>Returns the desired state with the new targets, and the observed state with the new states of autoscaling.</summary>
    public static (DesiredState Desired, ObservedState Observed, DateTimeOffset? NextWakeUp) Decide(DesiredState desired, ObservedState observed, DateTimeOffset now)
    {
        if (desired.IsStopping)
            return (desired, observed, null);
        var states = ImmutableDictionary.CreateBuilder<DeploymentId, AutoscalingState>();
        var (wakeUps, nextWakeUp) = (observed.WakeUps, (DateTimeOffset?)null);
        foreach (var application in desired.Applications.Values.Where(application => !application.IsDeleting))
        {
            var next = application;
            foreach (var deployment in application.Requested.Deployments.Values.Where(application.IsAutoscaled))
            {
                var id = new DeploymentId(application.Name, deployment.Spec.Name);
                var input = InputOf(application, deployment, id, observed, PromotingCanary(application, desired));
                var result = AutoscalingPolicy.Decide(input, observed.Autoscaling.GetValueOrDefault(id, AutoscalingState.Initial), now);
                states[id] = result.State;
                next = next.WithAutoscaledTarget(id.Name, result.Target);
                if (result.NextWakeUp is { } time && (nextWakeUp is null || time < nextWakeUp))
                    nextWakeUp = time;

                // The request that woke it has been considered; a later one is reported again.
                if (result.Target == 0 || input.Running > 0)
                    wakeUps = wakeUps.Remove(id);
            }

            if (!ReferenceEquals(next, application))
                desired = desired.With(next);
        }

        return (desired, observed with { Autoscaling = states.ToImmutable(), WakeUps = wakeUps }, nextWakeUp);
    }

    // While a canary replaces the stable revision, that must become able to carry the load of both.
    private static DesiredApplication? PromotingCanary(DesiredApplication application, DesiredState desired) =>
        CanaryChanges.Find(desired, application.Name) is { Canary.IsPromoting: true } canary ? canary : null;

    private static AutoscalingInput InputOf(DesiredApplication application, DeploymentRevision deployment, DeploymentId id, ObservedState observed, DesiredApplication? promoting)
    {
        var spec = deployment.Spec.Autoscaling!;
        return new()
        {
            Spec = spec,
            MinReplicas = deployment.InWholeGangs(application.CapacityOf(spec.MinReplicas)),
            MaxReplicas = deployment.InWholeGangs(application.CapacityOf(spec.MaxReplicas)),
            Step = deployment.InWholeGangs(1),
            Target = application.Targets.TryGetValue(id.Name, out var target) ? target.Replicas : application.CapacityOf(deployment.Spec.NumReplicas),
            Running = observed.CountRunning(id),
            Load = promoting is null ? observed.LoadOf(id) : observed.LoadOf(id).Plus(observed.LoadOf(new(promoting.Name, id.Name))),
            IsWoken = observed.WakeUps.Contains(id),
            UserPolicy = spec.Policy is null && application.Requested.Config.AutoscalingPolicy is null
                ? null
                : observed.PolicyResults.GetValueOrDefault(id, new(null, "the policy has not returned yet")),
        };
    }
}
