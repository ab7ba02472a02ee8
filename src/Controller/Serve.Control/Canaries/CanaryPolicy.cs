using System.Globalization;
using Serve.Routes;

namespace Serve.Control.Canaries;

/// <summary>Input of a decision about a canary.</summary>
public sealed record CanaryInput
{
    /// <summary>Settings and progress.</summary>
    public required CanaryState State { get; init; }

    /// <summary>Whether all deployments of the canary's revision have run.</summary>
    public required bool HasRun { get; init; }

    /// <summary>Why the canary's revision cannot be started; null while it can.</summary>
    public string? Failure { get; init; }

    /// <summary>Requests to the stable revision in the current step.</summary>
    public RequestCounts Stable { get; init; } = RequestCounts.None;

    /// <summary>Requests to the canary in the current step.</summary>
    public RequestCounts Canary { get; init; } = RequestCounts.None;
}

/// <summary>What to do with a canary.</summary>
public enum CanaryVerdict
{
    /// <summary>Nothing.</summary>
    Wait,

    /// <summary>The first step begins.</summary>
    Begin,

    /// <summary>The next step begins.</summary>
    NextStep,

    /// <summary>The canary replaces the stable revision.</summary>
    Promote,

    /// <summary>The canary ends.</summary>
    RollBack,
}

/// <summary>A decision about a canary.</summary>
/// <param name="Verdict">What to do.</param>
/// <param name="Reason">Human-readable reason.</param>
/// <param name="NextWakeUp">When to decide again if no request is reported before; null if there is no need.</param>
public readonly record struct CanaryResult(CanaryVerdict Verdict, string Reason, DateTimeOffset? NextWakeUp = null);

/// <summary>Automatic promotion in steps, and automatic rollback by rules. A pure function.</summary>
public static class CanaryPolicy
{
    /// <summary>Returns the decision. The same input gives the same decision.</summary>
    public static CanaryResult Decide(CanaryInput input, DateTimeOffset now)
    {
        var (state, rules) = (input.State, input.State.Settings);
        var isAutomatic = state.HasRules || state.Steps.Count > 0;
        if (input.Failure is { } failure && state.StepStartedAt is null)
            return isAutomatic ? new(CanaryVerdict.RollBack, $"the canary could not be started: {failure}") : new(CanaryVerdict.Wait, $"the canary cannot be started: {failure}");
        if (!input.HasRun && state.StepStartedAt is null)
            return new(CanaryVerdict.Wait, "waits until the canary runs");
        if (state.StepStartedAt is not { } since)
            return new(CanaryVerdict.Begin, "the canary runs");
        if (rules is null)
            return new(CanaryVerdict.Wait, "");
        if (BrokenRule(input, rules) is { } broken)
            return new(CanaryVerdict.RollBack, broken);
        var evidence = state.HasRules && input.Canary.Requests < rules.MinRequests
            ? string.Create(CultureInfo.InvariantCulture, $"the rules apply after {rules.MinRequests} requests; {input.Canary.Requests} completed")
            : null;
        if (state.Steps.Count == 0)
            return new(CanaryVerdict.Wait, evidence ?? "");
        var until = since + TimeSpan.FromSeconds(rules.StepDurationS);
        var progress = string.Create(CultureInfo.InvariantCulture, $"step {state.Step + 1} of {state.Steps.Count}");
        if (now < until)
            return new(CanaryVerdict.Wait, string.Create(CultureInfo.InvariantCulture, $"{progress} until {until:HH:mm:ss} UTC"), until);
        if (evidence is not null)
            return new(CanaryVerdict.Wait, $"{progress}; {evidence}");
        var passed = Describe(input.Canary, rules.LatencyPercentile);
        return state.Step + 1 < state.Steps.Count
            ? new(CanaryVerdict.NextStep, $"{progress} passed: {passed}")
            : new(CanaryVerdict.Promote, $"{progress} passed: {passed}");
    }

    private static string? BrokenRule(CanaryInput input, Specs.CanarySpec rules)
    {
        var (canary, stable) = (input.Canary, input.Stable);
        if (canary.Requests < rules.MinRequests)
            return null;
        if (rules.MaxErrorRate is { } rate && canary.ErrorRate > rate)
            return string.Create(CultureInfo.InvariantCulture, $"error rate {canary.ErrorRate:0.####} of {canary.Requests} requests is above max_error_rate {rate:0.####}");
        var percentile = rules.LatencyPercentile;
        if (canary.LatencyAt(percentile) is not { } latency)
            return null;
        if (rules.MaxLatencyMs is { } limit && latency > limit)
            return string.Create(CultureInfo.InvariantCulture, $"latency p{percentile:0.##} {latency:0.##} ms of {canary.Requests} requests is above max_latency_ms {limit:0.##}");
        return rules.MaxLatencyRatio is { } ratio && stable.Requests >= rules.MinRequests && stable.LatencyAt(percentile) is { } before && latency > ratio * before
            ? string.Create(CultureInfo.InvariantCulture, $"latency p{percentile:0.##} {latency:0.##} ms is above max_latency_ratio {ratio:0.##} of the stable revision's {before:0.##} ms")
            : null;
    }

    private static string Describe(RequestCounts counts, double percentile) => counts.LatencyAt(percentile) is { } latency
        ? string.Create(CultureInfo.InvariantCulture, $"{counts.Requests} requests, error rate {counts.ErrorRate:0.####}, p{percentile:0.##} {latency:0.##} ms")
        : "no requests";
}
