using System.Globalization;
using System.Text.Json;
using Serve.Control.Desired;
using Serve.Routes;
using Serve.Specs;

namespace Serve.Control.Canaries;

/// <summary>
/// Changes of the desired state that concern canaries. A canary is an application of its own, named <see cref="CanaryName.Of"/>, without a route: it is started, scaled, drained and stored like any other one, and its
/// handles stay within it.
/// </summary>
public static class CanaryChanges
{
    /// <summary>Returns the canary of an application; null if it has none.</summary>
    public static DesiredApplication? Find(DesiredState desired, string application) =>
        desired.Applications.GetValueOrDefault(CanaryName.Of(application)) is { IsDeleting: false } canary ? canary : null;

    /// <summary>Returns the number of the next revision of an application.</summary>
    public static long NextNumber(DesiredState desired, string application) => 1 + new[] { application, CanaryName.Of(application) }
        .Select(name => desired.Applications.GetValueOrDefault(name)).OfType<DesiredApplication>()
        .SelectMany(known => known.History.Select(past => past.Revision.Number).Append(known.Requested.Number))
        .DefaultIfEmpty().Max();

    /// <summary>Deploys a revision next to the one of an application; replaces a canary of another revision.</summary>
    /// <exception cref="DefinitionException">The revision cannot be a canary of the application.</exception>
    public static DesiredState Deploy(DesiredState desired, string application, ApplicationRevision revision, CanarySpec? settings, ShadowSpec? shadow, DateTimeOffset now)
    {
        List<string> errors = [.. (settings is null ? [] : CanaryState.Problems(settings)).Select(problem => $"{application}: {problem}")];
        if (desired.Applications.GetValueOrDefault(application) is not { IsDeleting: false } stable)
            throw new DefinitionException([.. errors, $"{application}: a canary or shadow requires a deployed application '{application}', but there is none. Deploy it without them first."]);
        if (stable.Requested.RoutePrefix != revision.RoutePrefix)
        {
            errors.Add($"{application}: route_prefix of a canary or shadow must be that of the running revision, {Prefix(stable.Requested)}, but was {Prefix(revision)}. "
                + "Set the same route_prefix, or deploy it under another name.");
        }

        if (errors.Count > 0)
            throw new DefinitionException(errors);
        if (Find(desired, application) is { Canary.IsPromoting: true } promoting && ApplicationRevisionBuilder.AreSame(promoting.Requested, revision))
            return desired;
        if (ApplicationRevisionBuilder.AreSame(stable.Requested, revision))
            return End(desired, application, "the stable revision was deployed again", now);
        var created = CanaryState.Create(settings, shadow, now);
        var running = Find(desired, application);
        if (running is { Canary: { IsPromoting: false } state } && ApplicationRevisionBuilder.AreSame(running.Requested, revision))
        {
            var changed = state with { Settings = settings, Shadow = shadow, Step = 0, StepStartedAt = null };
            return AreSameSettings(state, created) ? desired : desired.With(running with { Canary = changed.WithDecision(now, created.Percent, "settings changed"), Generation = running.Generation + 1 });
        }

        if (running is { Canary.IsPromoting: true })
            desired = RollBack(desired, application, "another canary was deployed", now);
        var before = desired.Applications.GetValueOrDefault(CanaryName.Of(application));
        return desired.With(before is { IsDeleting: false } ? before.WithRevision(revision, now) with { Canary = created } : new()
        {
            Name = CanaryName.Of(application),
            Requested = revision,
            Canary = created,
            Generation = (before?.Generation ?? 0) + 1,
            Change = DesiredChange.Deploy,
            TargetCapacity = stable.TargetCapacity,
            DeployedAt = now,
        });
    }

    /// <summary>Lets the canary replace the stable revision: that is rolled over like in any deployment, then the canary is drained.</summary>
    /// <exception cref="DefinitionException">There is no canary.</exception>
    public static DesiredState Promote(DesiredState desired, string application, string reason, DateTimeOffset now)
    {
        var (canary, state) = Require(desired, application);
        if (state.IsPromoting)
            return desired;
        var stable = desired.Applications[application];
        var next = stable.WithRevision(canary.Requested, now);

        // The load that the canary carries is added to that of the stable revision.
        foreach (var (name, target) in canary.Targets)
        {
            if (canary.Requested.Find(name) is { } deployment && canary.IsAutoscaled(deployment) && target.Replicas > next.TargetOf(deployment).Replicas)
                next = next with { Targets = next.Targets.SetItem(name, target) };
        }

        return desired.With(next).With(canary with { Canary = state.WithDecision(now, state.Percent, $"promotion: {reason}") with { IsPromoting = true } });
    }

    /// <summary>Ends the canary and restores the stable revision if it is being replaced.</summary>
    /// <exception cref="DefinitionException">There is no canary.</exception>
    public static DesiredState RollBack(DesiredState desired, string application, string reason, DateTimeOffset now)
    {
        var (canary, state) = Require(desired, application);
        if (state.IsPromoting && desired.Applications[application] is { } stable && stable.Requested.Number == canary.Requested.Number)
        {
            var target = stable.RollbackTarget(null);
            desired = desired.With(stable.WithRevision(
                target with { Number = NextNumber(desired, application), Config = target.Config with { Note = $"rollback to revision {target.Number}" } }, now));
        }

        return End(desired, application, reason, now);
    }

    /// <summary>Changes the share of a canary. Ends the automatic promotion.</summary>
    /// <exception cref="DefinitionException">There is no canary, or it is being promoted, or the percent is out of range.</exception>
    public static DesiredState SetPercent(DesiredState desired, string application, double percent, DateTimeOffset now)
    {
        var (canary, state) = Require(desired, application);
        if (!(percent is >= 0 and <= 100))
            throw new DefinitionException(string.Create(CultureInfo.InvariantCulture, $"percent must be from 0 to 100, but was {percent}."));
        if (state.IsPromoting)
            throw new DefinitionException($"The canary of application '{application}' is being promoted. Cancel that with 'serve rollback {application}'.");
        var settings = (state.Settings ?? new()) with { Percent = percent, Steps = [] };
        return state.Percent == percent && state.Steps.Count == 0 ? desired
            : desired.With(canary with { Canary = state.WithDecision(now, percent, "requested") with { Settings = settings, Step = 0 } });
    }

    /// <summary>Ends the canary, if there is one: its routes are removed, and it is drained.</summary>
    public static DesiredState End(DesiredState desired, string application, string reason, DateTimeOffset now)
    {
        if (Find(desired, application) is not { Canary: { } state } canary)
            return desired;
        if (desired.Applications.GetValueOrDefault(application) is { } stable && stable.Requested.Number != canary.Requested.Number && !stable.History.Any(past => past.Revision.Number == canary.Requested.Number))
            desired = desired.With(stable with { History = stable.HistoryWith(new(canary.Requested, canary.DeployedAt) { CanaryEnd = reason }) });
        return desired.With(canary with { IsDeleting = true, Canary = state.WithDecision(now, 0, reason) });
    }

    private static (DesiredApplication Canary, CanaryState State) Require(DesiredState desired, string application) =>
        Find(desired, application) is { Canary: { } state } canary
            ? (canary, state)
            : throw new DefinitionException($"Application '{application}' has no canary. Deploy one with 'serve deploy CONFIG --canary 10%'.");

    private static bool AreSameSettings(CanaryState one, CanaryState other) =>
        SettingsOf(one) == SettingsOf(other);

    private static string SettingsOf(CanaryState state) => JsonSerializer.Serialize(new CanaryState { Settings = state.Settings, Shadow = state.Shadow }, ServeJson.Options);

    private static string Prefix(ApplicationRevision revision) => revision.RoutePrefix is { } prefix ? $"'{prefix}'" : "null";
}
