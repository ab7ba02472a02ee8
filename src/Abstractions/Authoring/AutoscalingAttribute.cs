using Serve.Specs;

namespace Serve;

/// <summary>
/// Lets the number of replicas of a deployment follow its load: <c>num_replicas: auto</c>. Properties that are not set have the defaults of <see cref="AutoscalingSpec"/>;
/// <c>autoscaling_config</c> of a config file overrides them, key by key.
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class AutoscalingAttribute : Attribute
{
    private static readonly AutoscalingSpec Default = new() { MaxReplicas = AutoscalingSpec.AutoMaxReplicas };
    private AutoscalingOptions _options = new();

    /// <inheritdoc cref="AutoscalingSpec.MinReplicas"/>
    public int MinReplicas { get => _options.MinReplicas ?? Default.MinReplicas; set => _options = _options with { MinReplicas = value }; }

    /// <inheritdoc cref="AutoscalingSpec.InitialReplicas"/>
    public int InitialReplicas { get => _options.InitialReplicas ?? MinReplicas; set => _options = _options with { InitialReplicas = value }; }

    /// <inheritdoc cref="AutoscalingSpec.MaxReplicas"/>
    public int MaxReplicas { get => _options.MaxReplicas ?? Default.MaxReplicas; set => _options = _options with { MaxReplicas = value }; }

    /// <inheritdoc cref="AutoscalingSpec.TargetOngoingRequests"/>
    public double TargetOngoingRequests { get => _options.TargetOngoingRequests ?? Default.TargetOngoingRequests; set => _options = _options with { TargetOngoingRequests = value }; }

    /// <inheritdoc cref="AutoscalingSpec.MetricsIntervalS"/>
    public double MetricsIntervalS { get => _options.MetricsIntervalS ?? Default.MetricsIntervalS; set => _options = _options with { MetricsIntervalS = value }; }

    /// <inheritdoc cref="AutoscalingSpec.LookBackPeriodS"/>
    public double LookBackPeriodS { get => _options.LookBackPeriodS ?? Default.LookBackPeriodS; set => _options = _options with { LookBackPeriodS = value }; }

    /// <inheritdoc cref="AutoscalingSpec.UpscalingFactor"/>
    public double UpscalingFactor { get => _options.UpscalingFactor ?? 1; set => _options = _options with { UpscalingFactor = value }; }

    /// <inheritdoc cref="AutoscalingSpec.DownscalingFactor"/>
    public double DownscalingFactor { get => _options.DownscalingFactor ?? 1; set => _options = _options with { DownscalingFactor = value }; }

    /// <inheritdoc cref="AutoscalingSpec.UpscaleDelayS"/>
    public double UpscaleDelayS { get => _options.UpscaleDelayS ?? Default.UpscaleDelayS; set => _options = _options with { UpscaleDelayS = value }; }

    /// <inheritdoc cref="AutoscalingSpec.DownscaleDelayS"/>
    public double DownscaleDelayS { get => _options.DownscaleDelayS ?? Default.DownscaleDelayS; set => _options = _options with { DownscaleDelayS = value }; }

    /// <inheritdoc cref="AutoscalingSpec.DownscaleToZeroDelayS"/>
    public double DownscaleToZeroDelayS { get => _options.DownscaleToZeroDelayS ?? DownscaleDelayS; set => _options = _options with { DownscaleToZeroDelayS = value }; }

    /// <inheritdoc cref="AutoscalingSpec.AggregationFunction"/>
    public LoadAggregation AggregationFunction { get => _options.AggregationFunction ?? Default.AggregationFunction; set => _options = _options with { AggregationFunction = value }; }

    /// <summary>Returns the options that this attribute sets; all others are null.</summary>
    public AutoscalingOptions ToOptions() => _options;
}
