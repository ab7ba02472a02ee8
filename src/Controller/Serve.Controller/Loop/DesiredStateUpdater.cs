using Serve.Control.Canaries;
using Serve.Control.Desired;
using Serve.Controller.Applications;
using Serve.Routes;

namespace Serve.Controller.Loop;

/// <summary>Applies change requests to the desired state. Validates them against the current state; pure, the control loop stores the result.</summary>
internal static class DesiredStateUpdater
{
    private const int MaxReplicas = 10_000;

    /// <summary>Returns the desired state after a request.</summary>
    public static DesiredState Apply(DesiredState desired, ControlEvent.ChangeRequest request, IsolationMode defaultIsolation, DateTimeOffset now)
    {
        if (desired.IsStopping && request is not ControlEvent.StopAllReplicas)
            throw NodeConflictException.ShuttingDown();
        return request switch
        {
            ControlEvent.DeployApplications deploy => Deploy(desired, deploy, defaultIsolation, now),
            ControlEvent.RollBackApplication rollback => RollBack(desired, rollback, now),
            ControlEvent.PromoteCanary promote => CanaryChanges.Promote(WithApplication(desired, promote.Application), promote.Application, "requested", now),
            ControlEvent.ChangeCanaryShare change => CanaryChanges.SetPercent(WithApplication(desired, change.Application), change.Application, change.Percent, now),
            ControlEvent.DeleteApplications delete => Delete(desired, delete.Application),
            ControlEvent.ChangeReplicaTarget change => ChangeTarget(desired, change),
            ControlEvent.StopAllReplicas => desired with { IsStopping = true },
            _ => throw new ArgumentOutOfRangeException(nameof(request)),
        };
    }

    private static DesiredState Deploy(DesiredState desired, ControlEvent.DeployApplications deploy, IsolationMode defaultIsolation, DateTimeOffset now)
    {
        List<string> errors = [];
        var next = desired;
        var capacity = deploy.IsWhole ? deploy.TargetCapacity : desired.TargetCapacity;
        foreach (var prepared in deploy.Applications)
        {
            try
            {
                next = Deploy(next, prepared, defaultIsolation, now);
            }
            catch (DefinitionException invalid)
            {
                errors.AddRange(invalid.Errors);
            }
        }

        foreach (var name in deploy.Applications.Select(application => application.Config.Name).SelectMany(name => new[] { name, CanaryName.Of(name) }))
        {
            if (next.Applications.GetValueOrDefault(name) is { IsDeleting: false } application && application.TargetCapacity != capacity)
                next = next.With(application with { TargetCapacity = capacity, Generation = application.Generation + 1, Change = DesiredChange.Deploy });
        }

        if (deploy.IsWhole)
        {
            var kept = deploy.Applications.Select(application => application.Config.Name).ToHashSet(StringComparer.Ordinal);
            foreach (var removed in desired.Applications.Values.Where(application => !kept.Contains(CanaryName.ApplicationOf(application.Name) ?? application.Name) && !application.IsDeleting))
                next = next.With(removed with { IsDeleting = true });
        }

        errors.AddRange(RoutePrefixConflicts(next, deploy.Applications.Select(application => application.Config.Name)));
        return errors.Count == 0 ? next : throw new DefinitionException(errors);
    }

    private static DesiredState Deploy(DesiredState desired, PreparedApplication prepared, IsolationMode defaultIsolation, DateTimeOffset now)
    {
        var (config, name) = (prepared.Config, prepared.Config.Name);
        var revision = ApplicationRevisionBuilder.Build(config, prepared.Package, defaultIsolation, CanaryChanges.NextNumber(desired, name));
        if (config.Canary is not null || config.Shadow is not null)
            return CanaryChanges.Deploy(desired, name, revision, config.Canary, config.Shadow, now);
        var before = desired.Applications.GetValueOrDefault(name);
        // An application that is being deleted is deployed as a new one: its replicas may already be stopped.
        var current = before is { IsDeleting: false } ? before : null;
        // The configuration of the canary without its canary settings: it becomes the only revision.
        if (current is not null && CanaryChanges.Find(desired, name) is { } canary && ApplicationRevisionBuilder.AreSame(canary.Requested, revision))
            return CanaryChanges.Promote(desired, name, "deployed without canary", now);
        if (current is null || !ApplicationRevisionBuilder.AreSame(current.Requested, revision))
        {
            desired = desired.With(current is not null ? current.WithRevision(revision, now) : new()
            {
                Name = name,
                Requested = revision,
                Generation = (before?.Generation ?? 0) + 1,
                Change = DesiredChange.Deploy,
                DeployedAt = now,
            });
        }

        return CanaryChanges.End(desired, name, "ended: another revision was deployed without canary", now);
    }

    // The revision is complete, settings and package included: nothing is built or uploaded.
    private static DesiredState RollBack(DesiredState desired, ControlEvent.RollBackApplication rollback, DateTimeOffset now)
    {
        desired = WithApplication(desired, rollback.Application);
        if (CanaryChanges.Find(desired, rollback.Application) is not null)
        {
            desired = CanaryChanges.RollBack(desired, rollback.Application, "rolled back: requested", now);
            if (rollback.Revision is null)
                return desired;
        }

        var application = desired.Applications[rollback.Application];
        var target = application.RollbackTarget(rollback.Revision);
        if (ApplicationRevisionBuilder.AreSame(application.Requested, target))
            return desired;
        var next = desired.With(application.WithRevision(
            target with { Number = CanaryChanges.NextNumber(desired, application.Name), Config = target.Config with { Note = $"rollback to revision {target.Number}" } }, now));
        List<string> errors = [.. RoutePrefixConflicts(next, [application.Name])];
        return errors.Count == 0 ? next : throw new DefinitionException(errors);
    }

    private static IEnumerable<string> RoutePrefixConflicts(DesiredState next, IEnumerable<string> names)
    {
        var alive = next.Applications.Values.Where(application => application is { IsDeleting: false, Canary: null }).ToList();
        foreach (var name in names)
        {
            if (!next.Applications.TryGetValue(name, out var application) || application.Requested.RoutePrefix is not { } prefix)
                continue;
            var owner = alive.Find(other => other.Name != name && other.Requested.RoutePrefix == prefix);
            if (owner is not null)
                yield return $"{name}: route_prefix '{prefix}' is already used by application '{owner.Name}'. Change one of them.";
        }
    }

    private static DesiredState Delete(DesiredState desired, string? name)
    {
        if (name is not null)
            WithApplication(desired, name);
        foreach (var deleted in desired.Applications.Values.Where(application => name is null || application.Name == name || application.Name == CanaryName.Of(name)))
            desired = desired.With(deleted with { IsDeleting = true });
        return desired;
    }

    private static DesiredState ChangeTarget(DesiredState desired, ControlEvent.ChangeReplicaTarget change)
    {
        var id = change.Deployment;
        if (!desired.Applications.TryGetValue(id.Application, out var application) || application.IsDeleting)
            throw Unknown(desired, id.Application);
        if (application.Requested.Find(id.Name) is not { } deployment)
            throw ApplicationNotFoundException.OfPart(id.Application, "deployment", id.Name, application.Requested.Deployments.Keys);

        if (change.IsScale && deployment.Spec.Autoscaling is not null)
        {
            throw new NodeConflictException(
                $"Deployment '{id}' follows its load (autoscaling_config) and cannot be scaled. Change min_replicas and max_replicas, or set num_replicas to a number.");
        }

        var target = change.Change(application.TargetOf(deployment));
        if (target.Replicas is < 0 or > MaxReplicas)
            throw new DefinitionException($"target_num_replicas must be from 0 to {MaxReplicas}, but was {target.Replicas}.");
        if (deployment.Spec.Gang is { } gang && target.Replicas % gang.GangSize != 0)
            throw new DefinitionException($"target_num_replicas must be a multiple of gang_size, {gang.GangSize}, but was {target.Replicas}.");
        var next = application.WithTarget(id.Name, target);
        return ReferenceEquals(next, application) ? desired : desired.With(next);
    }

    private static DesiredState WithApplication(DesiredState desired, string name) =>
        desired.Applications.GetValueOrDefault(name) is { IsDeleting: false, Canary: null } ? desired : throw Unknown(desired, name);

    private static ApplicationNotFoundException Unknown(DesiredState desired, string name) =>
        ApplicationNotFoundException.Of(name, desired.Applications.Values.Where(application => application is { IsDeleting: false, Canary: null }).Select(application => application.Name));
}
