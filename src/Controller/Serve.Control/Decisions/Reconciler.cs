using System.Collections.Immutable;

namespace Serve.Control;

/// <summary>The controller's one decision: from what is wanted, what is (work under way included) and the time, to what to do next.</summary>
public static class Reconciler
{
    /// <summary>Decides. The same input gives the same plan; a world as wanted gives an empty one.</summary>
    public static ReconciliationPlan Decide(DesiredState desired, ObservedState observed, DateTimeOffset now)
    {
        var draft = new ReconciliationPlanBuilder(observed, now);
        var outcomes = desired.Applications.Values
            .SelectMany(application => DeploymentGoalResolver.ResolveAll(application, desired, observed))
            .Concat(Orphans(desired, observed))
            .Select(goal => DeploymentRolloutPlanner.Plan(draft, goal))
            .ToLookup(outcome => outcome.Goal.Id.Application, StringComparer.Ordinal);

        var routes = Publish(draft, RouteSnapshotProjection.Of(desired, outcomes));
        foreach (var application in desired.Applications.Values)
            Conclude(draft, application, desired, outcomes[application.Name]);
        return new()
        {
            Actions = draft.Actions,
            NextWakeUp = draft.NextWakeUp,
            Routes = routes,
            Status = desired.Applications.ToImmutableSortedDictionary(
                pair => pair.Key, pair => ApplicationStatusProjection.Of(pair.Value, desired, observed, outcomes[pair.Key]), StringComparer.Ordinal),
        };
    }

    private static IEnumerable<DeploymentGoal> Orphans(DesiredState desired, ObservedState observed) => observed.Replicas.Values
        .Select(replica => replica.Id.Deployment)
        .Where(deployment => !desired.Applications.ContainsKey(deployment.Application))
        .Distinct()
        .Select(deployment => new DeploymentGoal(deployment));

    private static Routes.RouteSnapshot Publish(ReconciliationPlanBuilder draft, Routes.RouteSnapshot wanted)
    {
        var published = draft.Observed.Routes;
        var isSame = RouteSnapshotProjection.AreEqual(wanted, published.Newest);
        if (isSame && (published.RetryAt is not { } retryAt || draft.MustWaitUntil(retryAt)))
            return published.Newest;
        var next = wanted with { Version = new(draft.Observed.Epoch, published.Newest.Version.Number + 1) };
        draft.Add(generation => new ControlAction.PublishRouteSnapshot(generation, isSame ? "not acknowledged by all" : "changed", next));
        return next;
    }

    private static void Conclude(ReconciliationPlanBuilder draft, DesiredApplication application, DesiredState desired, IEnumerable<DeploymentRolloutResult> outcomes)
    {
        if (application.IsDeleting)
        {
            if (outcomes.All(outcome => outcome.Remaining == 0))
                draft.Add(generation => new ControlAction.RemoveApplication(generation, "nothing of it is left", application.Name));
            return;
        }

        var number = application.Requested.Number;
        var isUp = outcomes.Where(outcome => application.Requested.Deployments.ContainsKey(outcome.Goal.Id.Name))
            .All(outcome => outcome.IsSteady && outcome.Goal.Failure is null);
        if (isUp && !desired.IsStopping && draft.Observed.Promoted.GetValueOrDefault(application.Name) != number)
            draft.Add(generation => new ControlAction.PromoteApplicationRevision(generation, "everything is up", application.Name, number));
    }
}
