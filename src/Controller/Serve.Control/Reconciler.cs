using System.Collections.Immutable;
using Serve.Control.Desired;
using Serve.Control.Observed;
using Serve.Control.Rollout;
using Serve.Control.Status;
using Serve.Routes;

namespace Serve.Control;

/// <summary>The controller's decision: a pure function of the desired state, the observed state (actions in flight included) and the time.</summary>
public static class Reconciler
{
    /// <summary>Returns the plan. The same input gives the same plan; a plan without actions means that the observed state is as desired.</summary>
    public static ReconciliationPlan Decide(DesiredState desired, ObservedState observed, DateTimeOffset now)
    {
        var plan = new ReconciliationPlanBuilder(observed, now);
        var results = desired.Applications.Values
            .SelectMany(application => DeploymentGoalResolver.ResolveAll(application, desired, observed))
            .Concat(GoalsOfUnknownDeployments(desired, observed))
            .Select(goal => DeploymentRolloutPlanner.Plan(plan, goal))
            .ToLookup(result => result.Goal.Id.Application, StringComparer.Ordinal);

        var routes = Publish(plan, RouteSnapshotProjection.Of(desired, results));
        foreach (var application in desired.Applications.Values)
            Conclude(plan, application, desired, results[application.Name]);
        return new()
        {
            Actions = plan.Actions,
            NextWakeUp = plan.NextWakeUp,
            Routes = routes,
            Status = desired.Applications.ToImmutableSortedDictionary(
                pair => pair.Key, pair => ApplicationStatusProjection.Of(pair.Value, desired, observed, results[pair.Key]), StringComparer.Ordinal),
        };
    }

    private static IEnumerable<DeploymentGoal> GoalsOfUnknownDeployments(DesiredState desired, ObservedState observed) => observed.Replicas.Values
        .Select(replica => replica.Id.Deployment)
        .Where(deployment => !desired.Applications.ContainsKey(deployment.Application))
        .Distinct()
        .Select(deployment => new DeploymentGoal(deployment));

    private static RouteSnapshot Publish(ReconciliationPlanBuilder plan, RouteSnapshot wanted)
    {
        var published = plan.Observed.Routes;
        ImmutableArray<NodeId> nodes = [.. plan.Observed.Nodes.Values.Where(node => node.IsReachable).Select(node => node.Id)];
        var reason = !RouteSnapshotProjection.AreEqual(wanted, published.Newest) ? "routes changed"
            : nodes.Any(node => !published.SentTo.Contains(node)) && published.Newest.Version != default ? "a node joined"
            : published.RetryAt is { } retryAt && !plan.MustWaitUntil(retryAt) ? "not acknowledged by all nodes"
            : null;
        if (reason is null)
            return published.Newest;
        var next = wanted with { Version = new(plan.Observed.Epoch, published.Newest.Version.Number + 1) };
        plan.Add(generation => new ControlAction.PublishRouteSnapshot(generation, reason, next, nodes));
        return next;
    }

    private static void Conclude(ReconciliationPlanBuilder plan, DesiredApplication application, DesiredState desired, IEnumerable<DeploymentRolloutResult> results)
    {
        if (application.IsDeleting)
        {
            if (results.All(result => result.Remaining == 0))
                plan.Add(generation => new ControlAction.RemoveApplication(generation, "all replicas have been stopped", application.Name));
            return;
        }

        var isRunning = results.Where(result => application.Requested.Deployments.ContainsKey(result.Goal.Id.Name))
            .All(result => result.IsSteady && result.Goal.Failure is null);
        if (isRunning && !desired.IsStopping && plan.Observed.Promoted.GetValueOrDefault(application.Name) != application.Generation)
            plan.Add(generation => new ControlAction.PromoteApplicationRevision(generation, "all deployments are running", application.Name, application.Generation));
    }
}
