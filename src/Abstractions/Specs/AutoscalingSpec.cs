using System.Text.Json.Nodes;
using Serve.Specs.Binding;

namespace Serve.Specs;

/// <summary>
/// Complete settings of a deployment whose number of replicas follows its load: <c>autoscaling_config</c> over the defaults, which are Ray Serve's. The load is the number of
/// requests that are being processed or queued.
/// </summary>
public sealed record AutoscalingSpec
{
    /// <summary>Default of <see cref="MaxReplicas"/> with <c>num_replicas: auto</c>.</summary>
    internal const int AutoMaxReplicas = 100;

    private const int Largest = 10_000;

    /// <summary>Minimum number of replicas. With 0, a deployment without load has none, and the first request starts one. Default 1.</summary>
    [ConfigKey(Minimum = 0, Maximum = Largest)]
    public int MinReplicas { get; init; } = 1;

    /// <summary>Number of replicas when the deployment is created. Default null: <see cref="MinReplicas"/>.</summary>
    [ConfigKey(Minimum = 0, Maximum = Largest)]
    public int? InitialReplicas { get; init; }

    /// <summary>Maximum number of replicas. Default 1, or 100 with <c>num_replicas: auto</c>.</summary>
    [ConfigKey(Minimum = 1, Maximum = Largest)]
    public int MaxReplicas { get; init; } = 1;

    /// <summary>Load per replica that the number of replicas is chosen for. Default 2.</summary>
    [ConfigKey(ConfigFormat.PositiveAmount)]
    public double TargetOngoingRequests { get; init; } = 2;

    /// <summary>Interval between two reports of a replica's own metrics, and between two runs of a policy of the user, in seconds. The load is reported when it changes. Default 10.</summary>
    [ConfigKey(ConfigFormat.PositiveSeconds)]
    public double MetricsIntervalS { get; init; } = 10;

    /// <summary>Period over which the load is aggregated, in seconds; for a decision with a shorter delay, that delay. Default 30.</summary>
    [ConfigKey(ConfigFormat.PositiveSeconds)]
    public double LookBackPeriodS { get; init; } = 30;

    /// <summary>Factor of each increase; above 1 for more replicas than the load needs, below 1 for fewer at a time. Default null: 1.</summary>
    [ConfigKey(ConfigFormat.PositiveAmount)]
    public double? UpscalingFactor { get; init; }

    /// <summary>Factor of each decrease. Default null: 1.</summary>
    [ConfigKey(ConfigFormat.PositiveAmount)]
    public double? DownscalingFactor { get; init; }

    /// <summary>How long more replicas must be needed before they are started, in seconds. Default 30.</summary>
    [ConfigKey(ConfigFormat.Seconds)]
    public double UpscaleDelayS { get; init; } = 30;

    /// <summary>How long fewer replicas must be needed before the surplus is stopped, in seconds. Default 600.</summary>
    [ConfigKey(ConfigFormat.Seconds)]
    public double DownscaleDelayS { get; init; } = 600;

    /// <summary>How long a deployment must be without requests before its last replica is stopped, in seconds. Default null: <see cref="DownscaleDelayS"/>.</summary>
    [ConfigKey(ConfigFormat.Seconds)]
    public double? DownscaleToZeroDelayS { get; init; }

    /// <summary>How the load of the look-back period is aggregated. Default mean.</summary>
    public LoadAggregation AggregationFunction { get; init; }

    /// <summary>A policy of the user. Default null: the load divided by <see cref="TargetOngoingRequests"/>.</summary>
    public AutoscalingPolicySpec? Policy { get; init; }

    /// <summary>Returns all settings as options.</summary>
    public AutoscalingOptions ToOptions() => new()
    {
        MinReplicas = MinReplicas,
        InitialReplicas = InitialReplicas,
        MaxReplicas = MaxReplicas,
        TargetOngoingRequests = TargetOngoingRequests,
        MetricsIntervalS = MetricsIntervalS,
        LookBackPeriodS = LookBackPeriodS,
        UpscalingFactor = UpscalingFactor,
        DownscalingFactor = DownscalingFactor,
        UpscaleDelayS = UpscaleDelayS,
        DownscaleDelayS = DownscaleDelayS,
        DownscaleToZeroDelayS = DownscaleToZeroDelayS,
        AggregationFunction = AggregationFunction,
        Policy = Policy,
    };

    /// <summary>Adds an error for each pair of settings that contradict each other.</summary>
    internal void Check(string path, ConfigErrorCollector errors)
    {
        if (MinReplicas > MaxReplicas)
            errors.Add($"{path}.min_replicas", $"must be at most max_replicas, {MaxReplicas}, but was {MinReplicas}");
        else if (InitialReplicas is { } initial && (initial < MinReplicas || initial > MaxReplicas))
            errors.Add($"{path}.initial_replicas", $"must be between min_replicas and max_replicas, {MinReplicas} and {MaxReplicas}, but was {initial}");
    }
}

/// <summary>Autoscaling settings from one source; null where the source does not set a key. <c>autoscaling_config</c> in a file.</summary>
public sealed record AutoscalingOptions
{
    /// <inheritdoc cref="AutoscalingSpec.MinReplicas"/>
    public int? MinReplicas { get; init; }

    /// <inheritdoc cref="AutoscalingSpec.InitialReplicas"/>
    public int? InitialReplicas { get; init; }

    /// <inheritdoc cref="AutoscalingSpec.MaxReplicas"/>
    public int? MaxReplicas { get; init; }

    /// <inheritdoc cref="AutoscalingSpec.TargetOngoingRequests"/>
    public double? TargetOngoingRequests { get; init; }

    /// <inheritdoc cref="AutoscalingSpec.MetricsIntervalS"/>
    public double? MetricsIntervalS { get; init; }

    /// <inheritdoc cref="AutoscalingSpec.LookBackPeriodS"/>
    public double? LookBackPeriodS { get; init; }

    /// <inheritdoc cref="AutoscalingSpec.UpscalingFactor"/>
    public double? UpscalingFactor { get; init; }

    /// <inheritdoc cref="AutoscalingSpec.DownscalingFactor"/>
    public double? DownscalingFactor { get; init; }

    /// <inheritdoc cref="AutoscalingSpec.UpscaleDelayS"/>
    public double? UpscaleDelayS { get; init; }

    /// <inheritdoc cref="AutoscalingSpec.DownscaleDelayS"/>
    public double? DownscaleDelayS { get; init; }

    /// <inheritdoc cref="AutoscalingSpec.DownscaleToZeroDelayS"/>
    public double? DownscaleToZeroDelayS { get; init; }

    /// <inheritdoc cref="AutoscalingSpec.AggregationFunction"/>
    public LoadAggregation? AggregationFunction { get; init; }

    /// <inheritdoc cref="AutoscalingSpec.Policy"/>
    public AutoscalingPolicySpec? Policy { get; init; }
}

/// <summary>A class of the user that chooses the number of replicas.</summary>
public sealed record AutoscalingPolicySpec
{
    /// <summary>Full name of the class, in the application's package. <c>policy_function</c> in Ray.</summary>
    [ConfigKey(ConfigFormat.NonEmptyText, Alias = "policy_function", Required = "names the class of the policy")]
    public required string PolicyClass { get; init; }

    /// <summary>Constructor arguments by parameter name. Default none.</summary>
    public JsonObject? PolicyKwargs { get; init; }
}

/// <summary>Aggregation of the load over the look-back period.</summary>
public enum LoadAggregation
{
    /// <summary>Average, weighted by time.</summary>
    Mean,

    /// <summary>Highest load.</summary>
    Max,

    /// <summary>Lowest load.</summary>
    Min,
}
