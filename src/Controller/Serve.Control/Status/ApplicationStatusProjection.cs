using System.Collections.Immutable;
using Serve.Admin;
using Serve.Control.Desired;
using Serve.Control.Observed;
using Serve.Control.Rollout;

namespace Serve.Control.Status;

/// <summary>Derives the reported status of an application and its deployments.</summary>
internal static class ApplicationStatusProjection
{
    /// <summary>Returns the status of one application.</summary>
    public static ApplicationStatusReport Of(
        DesiredApplication application, DesiredState desired, ObservedState observed, IEnumerable<DeploymentRolloutResult> results)
    {
        var isPromoted = observed.Promoted.GetValueOrDefault(application.Name) == application.Generation;
        var deployments = results.ToImmutableSortedDictionary(
            result => result.Goal.Id.Name, result => ReportOf(result, application, observed, isPromoted), StringComparer.Ordinal);
        var messages = deployments.Where(pair => pair.Value.Message.Length > 0).Select(pair => $"{pair.Key}: {pair.Value.Message}");
        return new(Status(), string.Join(" ", messages), deployments);

        ApplicationStatus Status()
        {
            if (application.IsDeleting || desired.IsStopping)
                return ApplicationStatus.Deleting;
            var statuses = deployments.Values.Select(report => report.Status).ToList();
            return statuses.Contains(DeploymentStatus.DeployFailed) ? ApplicationStatus.DeployFailed
                : !isPromoted ? ApplicationStatus.Deploying
                : statuses.Contains(DeploymentStatus.Unhealthy) ? ApplicationStatus.Unhealthy
                : ApplicationStatus.Running;
        }
    }

    private static DeploymentStatusReport ReportOf(DeploymentRolloutResult result, DesiredApplication application, ObservedState observed, bool isPromoted)
    {
        var goal = result.Goal;
        if (goal.IsLeaving)
            return new(DeploymentStatus.Updating, DeploymentStatusTrigger.Deleting, Sentence($"{result.Remaining} replicas are draining"), 0, null);
        var scaling = observed.Autoscaling.GetValueOrDefault(goal.Id);
        DeploymentStatusReport Report(DeploymentStatus status, DeploymentStatusTrigger trigger, string message) =>
            new(status, trigger, message, goal.TargetReplicas, goal.Deployment) { Autoscaling = scaling };

        var history = observed.StartHistoryOf(ReplicaStartKey.Of(goal.Id, goal.Deployment!));
        var running = result.Ready + result.Old;
        var progress = result.Old > 0
            ? $"{result.Ready} of {goal.TargetReplicas} replicas run the new version, {result.Old} the old one"
            : $"{result.Ready} of {goal.TargetReplicas} replicas run";
        if (result.SettingsProgress is { } settings)
            progress += $"; {settings}";
        var reason = result.Waiting ?? history.Error ?? history.Death;
        if (goal.Failure is { } failure && !(goal.IsFrozen && application.LastGood?.Find(goal.Id.Name)?.IsSameAs(goal.Deployment!) == true))
        {
            return Report(DeploymentStatus.DeployFailed, DeploymentStatusTrigger.ReplicaStartupFailed,
                goal.IsFrozen ? Sentence(failure, running > 0 ? progress : null)
                    : Sentence(failure, "the previous version keeps running", running < goal.TargetReplicas ? progress : null));
        }

        if (scaling is { IsUpscaling: true } && running < goal.TargetReplicas && isPromoted && goal.Failure is null)
            return Report(DeploymentStatus.Upscaling, DeploymentStatusTrigger.Autoscaling, Sentence(progress, scaling.Reason, reason));
        if (scaling is { Decisions: [.., var last] } && last.To < last.From && result.Remaining > goal.TargetReplicas && running == goal.TargetReplicas && isPromoted)
        {
            return Report(DeploymentStatus.Downscaling, DeploymentStatusTrigger.Autoscaling,
                Sentence($"{result.Remaining - goal.TargetReplicas} replicas are draining", last.Reason));
        }

        if ((running < goal.TargetReplicas && isPromoted) || goal.Failure is not null)
        {
            return Report(DeploymentStatus.Unhealthy,
                history.Error is null && goal.Failure is null ? DeploymentStatusTrigger.HealthCheckFailed : DeploymentStatusTrigger.ReplicaStartupFailed,
                Sentence(progress, goal.Failure ?? reason));
        }

        if (isPromoted || result.IsSteady)
        {
            return Report(DeploymentStatus.Healthy, scaling is { Decisions: [.., var done] }
                ? done.To > done.From ? DeploymentStatusTrigger.UpscaleCompleted : DeploymentStatusTrigger.DownscaleCompleted
                : application.Change switch
                {
                    DesiredChange.ScaleUp => DeploymentStatusTrigger.UpscaleCompleted,
                    DesiredChange.ScaleDown => DeploymentStatusTrigger.DownscaleCompleted,
                    _ => DeploymentStatusTrigger.ConfigUpdateCompleted,
                }, "");
        }

        return application.Change switch
        {
            DesiredChange.ScaleUp => Report(DeploymentStatus.Upscaling, DeploymentStatusTrigger.ManuallyIncreaseNumReplicas, Sentence(progress, reason)),
            DesiredChange.ScaleDown => Report(
                DeploymentStatus.Downscaling, DeploymentStatusTrigger.ManuallyDecreaseNumReplicas, Sentence($"{result.Remaining - goal.TargetReplicas} replicas are draining")),
            _ => Report(DeploymentStatus.Updating, DeploymentStatusTrigger.ConfigUpdateStarted, Sentence(progress, reason)),
        };
    }

    private static string Sentence(params string?[] parts) =>
        string.Join("; ", parts.Where(part => !string.IsNullOrEmpty(part)).Select(part => part!.TrimEnd('.', ' '))) + ".";
}
