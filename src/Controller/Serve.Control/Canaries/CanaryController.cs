using Serve.Control.Desired;
using Serve.Control.Observed;
using Serve.Control.Rollout;
using Serve.Routes;

namespace Serve.Control.Canaries;

/// <summary>Advances all canaries: begins them, promotes them step by step, and rolls them back. Pure; runs before each decision of the <see cref="Reconciler"/>.</summary>
public static class CanaryController
{
    /// <summary>Returns the desired state with the decisions, and the observed state with the counts of the current steps.</summary>
    public static (DesiredState Desired, ObservedState Observed, DateTimeOffset? NextWakeUp) Decide(DesiredState desired, ObservedState observed, DateTimeOffset now)
    {
        DateTimeOffset? nextWakeUp = null;
        if (desired.IsStopping)
            return (desired, observed, null);
        observed = observed.WithoutRevisionRequests(name => CanaryChanges.Find(desired, name) is null);
        foreach (var canary in desired.Applications.Values.Where(application => application is { Canary: not null, IsDeleting: false }))
        {
            var name = CanaryName.ApplicationOf(canary.Name)!;
            if (desired.Applications.GetValueOrDefault(name) is not { IsDeleting: false } stable)
            {
                desired = desired.With(canary with { IsDeleting = true });
                continue;
            }

            if (canary.Canary!.IsPromoting)
            {
                observed = observed.WithCanaryReason(name, canary.Requested.Number, "waits until the stable revision is replaced");
                if (stable.LastGood?.Number == canary.Requested.Number && observed.Promoted.GetValueOrDefault(name) == stable.Generation)
                    desired = CanaryChanges.End(desired, name, "promoted", now);
                continue;
            }

            var result = CanaryPolicy.Decide(InputOf(canary, desired, observed), now);
            desired = Apply(desired, name, canary, result, now);
            observed = observed.WithCanaryReason(name, canary.Requested.Number, result.Verdict == CanaryVerdict.Wait ? result.Reason : "");
            if (result.Verdict is CanaryVerdict.Begin or CanaryVerdict.NextStep)
            {
                observed = observed.WithCanaryStep(name, canary.Requested.Number);
                nextWakeUp = now;
            }

            if (result.NextWakeUp is { } time && (nextWakeUp is null || time < nextWakeUp))
                nextWakeUp = time;
        }

        return (desired, observed, nextWakeUp);
    }

    private static CanaryInput InputOf(DesiredApplication canary, DesiredState desired, ObservedState observed)
    {
        var counts = observed.RevisionRequestsOf(CanaryName.ApplicationOf(canary.Name)!, canary.Requested.Number);
        return new()
        {
            State = canary.Canary!,
            HasRun = canary.LastGood?.Number == canary.Requested.Number,
            Failure = DeploymentGoalResolver.ResolveAll(canary, desired, observed).Select(goal => goal.Failure).FirstOrDefault(failure => failure is not null),
            Stable = counts.StableInStep,
            Canary = counts.CanaryInStep,
        };
    }

    private static DesiredState Apply(DesiredState desired, string name, DesiredApplication canary, CanaryResult result, DateTimeOffset now)
    {
        var state = canary.Canary!;
        return result.Verdict switch
        {
            CanaryVerdict.Begin => desired.With(canary with { Canary = state with { StepStartedAt = now } }),
            CanaryVerdict.NextStep => desired.With(canary with { Canary = state.WithDecision(now, state.Steps[state.Step + 1], result.Reason) with { Step = state.Step + 1, StepStartedAt = now } }),
            CanaryVerdict.Promote => CanaryChanges.Promote(desired, name, result.Reason, now),
            CanaryVerdict.RollBack => CanaryChanges.RollBack(desired, name, $"rolled back: {result.Reason}", now),
            _ => desired,
        };
    }
}
