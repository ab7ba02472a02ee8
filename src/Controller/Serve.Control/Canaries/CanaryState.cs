using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;
using Serve.Specs;

namespace Serve.Control.Canaries;

/// <summary>Settings and progress of a canary. Stored in the checkpoint, as a part of the application that holds the canary's revision.</summary>
public sealed record CanaryState
{
    /// <summary>Number of decisions that are kept.</summary>
    public const int MaxDecisions = 10;

    /// <summary>The settings; null for a shadow only.</summary>
    public CanarySpec? Settings { get; init; }

    /// <summary>Settings of the copies of requests; null for none.</summary>
    public ShadowSpec? Shadow { get; init; }

    /// <summary>Percent of the requests that the canary receives once it runs.</summary>
    public double Percent { get; init; }

    /// <summary>Index of the current step.</summary>
    public int Step { get; init; }

    /// <summary>When the current step began to receive requests; null while the canary has not run yet.</summary>
    public DateTimeOffset? StepStartedAt { get; init; }

    /// <summary>Whether the stable revision is being replaced by the canary's.</summary>
    public bool IsPromoting { get; init; }

    /// <summary>The newest decisions, oldest first.</summary>
    public ImmutableArray<CanaryDecision> Decisions { get; init; } = [];

    /// <summary>Whether a rule may roll the canary back.</summary>
    [JsonIgnore]
    public bool HasRules => Settings is { MaxErrorRate: not null } or { MaxLatencyMs: not null } or { MaxLatencyRatio: not null };

    /// <summary>The percents of an automatic promotion; empty for none.</summary>
    [JsonIgnore]
    public IReadOnlyList<double> Steps => Settings?.Steps ?? [];

    /// <summary>Returns the state of a new canary.</summary>
    public static CanaryState Create(CanarySpec? settings, ShadowSpec? shadow, DateTimeOffset now)
    {
        var percent = settings is null ? 0 : settings.Percent ?? (settings.Steps.Count > 0 ? settings.Steps[0] : 0);
        return new CanaryState { Settings = settings, Shadow = shadow }
            .WithDecision(now, percent, shadow is null ? "deployed" : string.Create(CultureInfo.InvariantCulture, $"deployed, with copies of {shadow.Percent:0.##} % of the requests"));
    }

    /// <summary>Returns an error for each setting that contradicts another one.</summary>
    public static IEnumerable<string> Problems(CanarySpec settings)
    {
        if (settings is { Percent: null, Header: null, Steps.Count: 0 })
            yield return "canary requires percent, header or steps.";
        if (settings is { Percent: not null, Steps.Count: > 0 })
            yield return "canary.percent must not be combined with canary.steps, whose first step is the percent at the start. Remove one of them.";
        if (settings.Steps is [<= 0, ..] || settings.Steps.Zip(settings.Steps.Skip(1)).Any(static pair => pair.First >= pair.Second))
            yield return $"canary.steps must be increasing percents above 0, but were [{string.Join(", ", settings.Steps.Select(static step => step.ToString(CultureInfo.InvariantCulture)))}].";
        if (settings.LatencyPercentile is <= 0 or >= 100)
            yield return string.Create(CultureInfo.InvariantCulture, $"canary.latency_percentile must be above 0 and below 100, but was {settings.LatencyPercentile}.");
    }

    /// <summary>Returns this state with another share and the decision that set it.</summary>
    public CanaryState WithDecision(DateTimeOffset now, double percent, string reason) => this with
    {
        Percent = percent,
        Decisions = [.. Decisions.TakeLast(MaxDecisions - 1), new(now, Percent, percent, reason)],
    };
}

/// <summary>A change of a canary's share.</summary>
/// <param name="At">When it was decided.</param>
/// <param name="From">The percent before.</param>
/// <param name="To">The percent after.</param>
/// <param name="Reason">Human-readable reason.</param>
public sealed record CanaryDecision(DateTimeOffset At, double From, double To, string Reason);
