using System.Diagnostics.CodeAnalysis;
using Serve.Specs.Binding;

namespace Serve.Specs;

/// <summary>Settings of a canary: a second revision of an application that receives a share of its requests. <c>canary</c> of an application in a file.</summary>
public sealed record CanarySpec
{
    /// <summary>Percent of the requests that the canary receives, 0 to 100. Default null: the first of <see cref="Steps"/>, or 0 with <see cref="Header"/>.</summary>
    [ConfigKey(ConfigFormat.Percent)]
    public double? Percent { get; init; }

    /// <summary>A header, written <c>NAME=VALUE</c>: HTTP requests with that value are sent to the canary, whatever the percent. Default null: none.</summary>
    [ConfigKey(ConfigFormat.HeaderMatch)]
    public string? Header { get; init; }

    /// <summary>
    /// Expression for the session of an HTTP request, as <see cref="RequestRouterSpec.Key"/>: requests with the same key are sent to the same revision. Default null: each request is assigned at random.
    /// </summary>
    [ConfigKey(ConfigFormat.RoutingKey)]
    public string? Key { get; init; }

    /// <summary>Increasing percents for an automatic promotion; the canary is promoted after the last. Default empty: the share changes on request only.</summary>
    [ConfigKey(ConfigFormat.Percent)]
    public IReadOnlyList<double> Steps { get; init; } = [];

    /// <summary>Duration of each step, in seconds. Default 300.</summary>
    [ConfigKey(ConfigFormat.PositiveSeconds)]
    public double StepDurationS { get; init; } = 300;

    /// <summary>Share of failed requests, 0 to 1, above which the canary is rolled back. Default null: no such rule.</summary>
    [ConfigKey(ConfigFormat.Fraction)]
    public double? MaxErrorRate { get; init; }

    /// <summary>Latency in milliseconds, at <see cref="LatencyPercentile"/>, above which the canary is rolled back. Default null: no such rule.</summary>
    [ConfigKey(ConfigFormat.PositiveAmount)]
    public double? MaxLatencyMs { get; init; }

    /// <summary>Ratio of the canary's latency to that of the stable revision, at <see cref="LatencyPercentile"/>, above which the canary is rolled back. Default null: no such rule.</summary>
    [ConfigKey(ConfigFormat.PositiveAmount)]
    public double? MaxLatencyRatio { get; init; }

    /// <summary>Percentile of the latency rules, above 0 and below 100. Default 99.</summary>
    [ConfigKey(ConfigFormat.Percent)]
    public double LatencyPercentile { get; init; } = 99;

    /// <summary>Number of requests in a step before the rules apply; with a rule, also before the next step. Default 20.</summary>
    [ConfigKey(Minimum = 1, Maximum = int.MaxValue)]
    public int MinRequests { get; init; } = 20;

    /// <summary>Splits <see cref="Header"/>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="name">The header's name.</param>
    /// <param name="value">Its value.</param>
    /// <returns>Whether the text has the form <c>NAME=VALUE</c>.</returns>
    internal static bool TryParseHeader(string? text, [NotNullWhen(true)] out string? name, [NotNullWhen(true)] out string? value)
    {
        var equals = text?.IndexOf('=') ?? -1;
        (name, value) = equals > 0 && equals < text!.Length - 1 ? (text[..equals], text[(equals + 1)..]) : (null, null);
        return name is not null && value is not null && name.All(static letter => char.IsAsciiLetterOrDigit(letter) || "!#$%&'*+-.^_`|~".Contains(letter));
    }
}

/// <summary>Settings of the copies of requests that a second revision of an application receives, and whose answers are dropped. <c>shadow</c> of an application in a file.</summary>
public sealed record ShadowSpec
{
    /// <summary>Percent of the HTTP requests to the stable revision that are copied, 0 to 100.</summary>
    [ConfigKey(ConfigFormat.Percent, Required = "states the percent of the requests to copy")]
    public required double Percent { get; init; }

    /// <summary>Largest body that is copied, in bytes; requests with a larger one, or with one of unknown length, are not copied. Default 1 MiB.</summary>
    [ConfigKey(Minimum = 0, Maximum = 64 * 1024 * 1024)]
    public int MaxBodyBytes { get; init; } = 1024 * 1024;

    /// <summary>Maximum number of copies that a gateway sends at a time; further ones are dropped. Default 16.</summary>
    [ConfigKey(Minimum = 1, Maximum = 10_000)]
    public int MaxConcurrentRequests { get; init; } = 16;
}
