using Serve.Control;

namespace Serve.Controller;

/// <summary>What a request makes of the desired state: checks it against what is there, and says what is to be stored. Pure; the loop writes.</summary>
internal static class DesiredStateUpdater
{
    /// <summary>The desired state after a request.</summary>
    public static DesiredState Apply(DesiredState desired, ControlEvent.ChangeRequest request, IsolationMode defaultIsolation, DateTimeOffset now)
    {
        if (desired.IsStopping && request is not ControlEvent.StopAllReplicas)
            throw new NodeConflictException("The node is shutting down; it takes no changes any more.");
        return request switch
        {
            ControlEvent.DeployApplications deploy => Deploy(desired, deploy, defaultIsolation, now),
            ControlEvent.DeleteApplications delete => Delete(desired, delete.Application),
            ControlEvent.ScaleDeployment scale => Scale(desired, scale.Deployment, scale.Replicas),
            ControlEvent.StopAllReplicas => desired with { IsStopping = true },
            _ => throw new ArgumentOutOfRangeException(nameof(request)),
        };
    }

    private static DesiredState Deploy(DesiredState desired, ControlEvent.DeployApplications deploy, IsolationMode defaultIsolation, DateTimeOffset now)
    {
        List<string> errors = [];
        var next = desired;
        foreach (var prepared in deploy.Applications)
        {
            try
            {
                next = next.With(Next(desired.Applications.GetValueOrDefault(prepared.Config.Name), prepared, defaultIsolation, now));
            }
            catch (DefinitionException wrong)
            {
                errors.AddRange(wrong.Errors);
            }
        }

        if (deploy.IsWhole)
        {
            var kept = deploy.Applications.Select(application => application.Config.Name).ToHashSet(StringComparer.Ordinal);
            foreach (var gone in desired.Applications.Values.Where(application => !kept.Contains(application.Name) && !application.IsDeleting))
                next = next.With(gone with { IsDeleting = true });
        }

        errors.AddRange(TakenPrefixes(next, deploy));
        return errors.Count == 0 ? next : throw new DefinitionException(errors);
    }

    private static DesiredApplication Next(DesiredApplication? before, PreparedApplication prepared, IsolationMode defaultIsolation, DateTimeOffset now)
    {
        // One that is being deleted comes back as if it were new: what it ran before may already be half gone.
        var known = before is { IsDeleting: false } ? before : null;
        var revision = ApplicationRevisionBuilder.Build(prepared.Config, prepared.Package, defaultIsolation, known?.Requested);
        if (known is not null && ApplicationRevisionBuilder.AreSame(known.Requested, revision))
            return known;
        return new()
        {
            Name = prepared.Config.Name,
            Requested = revision with { Number = (before?.Requested.Number ?? 0) + 1 },
            LastGood = known?.LastGood,
            DeployedAt = now,
        };
    }

    private static IEnumerable<string> TakenPrefixes(DesiredState next, ControlEvent.DeployApplications deploy)
    {
        var alive = next.Applications.Values.Where(application => !application.IsDeleting).ToList();
        foreach (var name in deploy.Applications.Select(application => application.Config.Name))
        {
            if (!next.Applications.TryGetValue(name, out var application) || application.Requested.RoutePrefix is not { } prefix)
                continue;
            var holder = alive.Find(other => other.Name != name && other.Requested.RoutePrefix == prefix);
            if (holder is not null)
                yield return $"{name}: route_prefix '{prefix}' is taken by application '{holder.Name}'. Give one of them another.";
        }
    }

    private static DesiredState Delete(DesiredState desired, string? name)
    {
        if (name is not null && (!desired.Applications.TryGetValue(name, out var application) || application.IsDeleting))
            throw Unknown(desired, name);
        foreach (var gone in desired.Applications.Values.Where(application => name is null || application.Name == name))
            desired = desired.With(gone with { IsDeleting = true });
        return desired;
    }

    private static DesiredState Scale(DesiredState desired, DeploymentId id, int replicas)
    {
        if (replicas is < 0 or > 10_000)
            throw new DefinitionException($"target_num_replicas: {replicas} is not within 0 to 10000.");
        if (!desired.Applications.TryGetValue(id.Application, out var application) || application.IsDeleting)
            throw Unknown(desired, id.Application);
        if (application.Requested.Find(id.Name) is not { } deployment)
        {
            throw new ApplicationNotFoundException(
                $"Application '{id.Application}' has no deployment '{id.Name}'; it has {string.Join(", ", application.Requested.Deployments.Keys)}.");
        }

        if (deployment.Spec.NumReplicas == replicas)
            return desired;
        return desired.With(application with
        {
            Requested = Scaled(application.Requested, id.Name, replicas) with
            {
                Number = application.Requested.Number + 1,
                Change = replicas > deployment.Spec.NumReplicas ? RevisionChange.ScaleUp : RevisionChange.ScaleDown,
            },

            // What is fallen back to is to be as strong as what was asked for.
            LastGood = application.LastGood is { } good && good.Find(id.Name) is not null ? Scaled(good, id.Name, replicas) : application.LastGood,
        });
    }

    private static ApplicationRevision Scaled(ApplicationRevision revision, string deployment, int replicas) => revision with
    {
        Deployments = revision.Deployments.SetItem(deployment, revision.Deployments[deployment].ScaledTo(replicas)),
    };

    private static ApplicationNotFoundException Unknown(DesiredState desired, string name)
    {
        var known = desired.Applications.Values.Where(application => !application.IsDeleting).Select(application => application.Name).ToList();
        return new($"There is no application '{name}'; {(known.Count == 0 ? "nothing is deployed" : $"there are {string.Join(", ", known)}")}.");
    }
}
