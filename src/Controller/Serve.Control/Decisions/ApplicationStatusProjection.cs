using System.Collections.Immutable;
using Serve.Admin;

namespace Serve.Control;

/// <summary>Tells people how an application is, and why.</summary>
internal static class ApplicationStatusProjection
{
    /// <summary>The report of one application.</summary>
    public static ApplicationStatusReport Of(DesiredApplication application, DesiredState desired, ObservedState observed, IEnumerable<DeploymentRolloutResult> outcomes)
    {
        var isSettled = observed.Promoted.GetValueOrDefault(application.Name) == application.Requested.Number;
        var deployments = outcomes.ToImmutableSortedDictionary(
            outcome => outcome.Goal.Id.Name, outcome => Report(outcome, application, observed, isSettled), StringComparer.Ordinal);
        var messages = deployments.Where(pair => pair.Value.Message.Length > 0).Select(pair => $"{pair.Key}: {pair.Value.Message}");
        return new(Status(), string.Join(" ", messages), deployments);

        ApplicationStatus Status()
        {
            if (application.IsDeleting || desired.IsStopping)
                return ApplicationStatus.Deleting;
            var statuses = deployments.Values.Select(report => report.Status).ToList();
            return statuses.Contains(DeploymentStatus.DeployFailed) ? ApplicationStatus.DeployFailed
                : !isSettled ? ApplicationStatus.Deploying
                : statuses.Contains(DeploymentStatus.Unhealthy) ? ApplicationStatus.Unhealthy
                : ApplicationStatus.Running;
        }
    }

    private static DeploymentStatusReport Report(DeploymentRolloutResult outcome, DesiredApplication application, ObservedState observed, bool isSettled)
    {
        var goal = outcome.Goal;
        if (goal.IsLeaving)
            return new(DeploymentStatus.Updating, DeploymentStatusTrigger.Deleting, Text($"{outcome.Remaining} replicas drain"), 0, null);
        DeploymentStatusReport Say(DeploymentStatus status, DeploymentStatusTrigger trigger, string message) =>
            new(status, trigger, message, goal.TargetReplicas, goal.Deployment);

        var history = observed.StartHistoryOf(ReplicaStartKey.Of(goal.Id, goal.Deployment!));
        var running = outcome.Ready + outcome.Old;
        var strength = outcome.Old > 0
            ? $"{outcome.Ready} of {goal.TargetReplicas} replicas run the new version, {outcome.Old} the old one"
            : $"{outcome.Ready} of {goal.TargetReplicas} replicas run";
        var why = outcome.Waiting ?? history.Error ?? history.Death;
        if (goal.Failure is { } failure && !(goal.IsFrozen && application.LastGood?.Find(goal.Id.Name)?.IsSameAs(goal.Deployment!) == true))
        {
            return Say(DeploymentStatus.DeployFailed, DeploymentStatusTrigger.ReplicaStartupFailed,
                goal.IsFrozen ? Text(failure, running > 0 ? strength : null)
                    : Text(failure, "the version that ran before keeps running", running < goal.TargetReplicas ? strength : null));
        }

        if (running < goal.TargetReplicas && isSettled || goal.Failure is not null)
        {
            return Say(DeploymentStatus.Unhealthy,
                history.Error is null && goal.Failure is null ? DeploymentStatusTrigger.HealthCheckFailed : DeploymentStatusTrigger.ReplicaStartupFailed,
                Text(strength, goal.Failure ?? why));
        }

        var change = application.Requested.Change;
        if (isSettled || outcome.IsSteady)
        {
            return Say(DeploymentStatus.Healthy, change switch
            {
                RevisionChange.ScaleUp => DeploymentStatusTrigger.UpscaleCompleted,
                RevisionChange.ScaleDown => DeploymentStatusTrigger.DownscaleCompleted,
                _ => DeploymentStatusTrigger.ConfigUpdateCompleted,
            }, "");
        }

        return change switch
        {
            RevisionChange.ScaleUp => Say(DeploymentStatus.Upscaling, DeploymentStatusTrigger.ManuallyIncreaseNumReplicas, Text(strength, why)),
            RevisionChange.ScaleDown => Say(DeploymentStatus.Downscaling, DeploymentStatusTrigger.ManuallyDecreaseNumReplicas, Text($"{outcome.Remaining - goal.TargetReplicas} replicas drain")),
            _ => Say(DeploymentStatus.Updating, DeploymentStatusTrigger.ConfigUpdateStarted, Text(strength, why)),
        };
    }

    private static string Text(params string?[] parts) =>
        string.Join("; ", parts.Where(part => !string.IsNullOrEmpty(part)).Select(part => part!.TrimEnd('.', ' '))) + ".";
}
