using Serve.Control.Desired;
using Serve.Controller.Applications;

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
                var application = Next(desired.Applications.GetValueOrDefault(prepared.Config.Name), prepared, defaultIsolation, now);
                next = next.With(application.TargetCapacity == capacity ? application : application with { TargetCapacity = capacity, Generation = application.Generation + 1, Change = DesiredChange.Deploy });
            }
            catch (DefinitionException invalid)
            {
                errors.AddRange(invalid.Errors);
            }
        }

        if (deploy.IsWhole)
        {
            var kept = deploy.Applications.Select(application => application.Config.Name).ToHashSet(StringComparer.Ordinal);
            foreach (var removed in desired.Applications.Values.Where(application => !kept.Contains(application.Name) && !application.IsDeleting))
                next = next.With(removed with { IsDeleting = true });
        }

        errors.AddRange(RoutePrefixConflicts(next, deploy.Applications.Select(application => application.Config.Name)));
        return errors.Count == 0 ? next : throw new DefinitionException(errors);
    }

    private static DesiredApplication Next(DesiredApplication? before, PreparedApplication prepared, IsolationMode defaultIsolation, DateTimeOffset now)
    {
        // An application that is being deleted is deployed as a new one: its replicas may already be stopped.
        var current = before is { IsDeleting: false } ? before : null;
        var revision = ApplicationRevisionBuilder.Build(prepared.Config, prepared.Package, defaultIsolation, (before?.Requested.Number ?? 0) + 1);
        if (current is not null && ApplicationRevisionBuilder.AreSame(current.Requested, revision))
            return current;
        return current is not null ? Replace(current, revision, now) : new()
        {
            Name = prepared.Config.Name,
            Requested = revision,
            Generation = (before?.Generation ?? 0) + 1,
            Change = DesiredChange.Deploy,
            DeployedAt = now,
        };
    }

    private static DesiredApplication Replace(DesiredApplication current, ApplicationRevision revision, DateTimeOffset now) => current with
    {
        Requested = revision,
        History = current.HistoryWithRequested(),
        Targets = current.TargetsFor(revision),
        Generation = current.Generation + 1,
        Change = DesiredChange.Deploy,
        DeployedAt = now,
    };

    // The revision is complete, settings and package included: nothing is built or uploaded.
    private static DesiredState RollBack(DesiredState desired, ControlEvent.RollBackApplication rollback, DateTimeOffset now)
    {
        if (!desired.Applications.TryGetValue(rollback.Application, out var application) || application.IsDeleting)
            throw Unknown(desired, rollback.Application);
        var target = application.RollbackTarget(rollback.Revision);
        if (ApplicationRevisionBuilder.AreSame(application.Requested, target))
            return desired;
        var next = desired.With(Replace(
            application, target with { Number = application.Requested.Number + 1, Config = target.Config with { Note = $"rollback to revision {target.Number}" } }, now));
        List<string> errors = [.. RoutePrefixConflicts(next, [application.Name])];
        return errors.Count == 0 ? next : throw new DefinitionException(errors);
    }

    private static IEnumerable<string> RoutePrefixConflicts(DesiredState next, IEnumerable<string> names)
    {
        var alive = next.Applications.Values.Where(application => !application.IsDeleting).ToList();
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
        if (name is not null && (!desired.Applications.TryGetValue(name, out var application) || application.IsDeleting))
            throw Unknown(desired, name);
        foreach (var deleted in desired.Applications.Values.Where(application => name is null || application.Name == name))
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

    private static ApplicationNotFoundException Unknown(DesiredState desired, string name) =>
        ApplicationNotFoundException.Of(name, desired.Applications.Values.Where(application => !application.IsDeleting).Select(application => application.Name));
}
