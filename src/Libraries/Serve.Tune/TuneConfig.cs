using System.Collections.Immutable;
using Serve.Tuning.Schedulers;
using Serve.Tuning.Searchers;

namespace Serve.Tuning;

/// <summary>How parameters are searched.</summary>
public sealed record TuneConfig
{
    /// <summary>Gets the name of the metric to optimize.</summary>
    public required string Metric { get; init; }

    /// <summary>Gets whether the metric is minimized or maximized.</summary>
    public Mode Mode { get; init; } = Mode.Min;

    /// <summary>Gets the number of trials; with a grid and without <see cref="Search"/>, the number of repetitions of the grid. -1 is without limit and requires a time budget or a stopper. Default 1.</summary>
    public int NumSamples { get; init; } = 1;

    /// <summary>Gets the number of trials that run at a time; by default as many as the cluster's CPUs permit.</summary>
    public int? MaxConcurrentTrials { get; init; }

    /// <summary>Gets the time after which no trial is started and running ones stop at their next report; null without limit.</summary>
    public TimeSpan? TimeBudget { get; init; }

    /// <summary>Gets the search algorithm; by default grid and random search. An instance serves one run.</summary>
    public Searcher? Search { get; init; }

    /// <summary>Gets the scheduler; by default all trials run to their end. An instance serves one run.</summary>
    public TrialScheduler? Scheduler { get; init; }
}

/// <summary>Resources that each trial holds while it runs.</summary>
public sealed record TrialResources
{
    /// <summary>Gets the CPUs. Default 1.</summary>
    public double NumCpus { get; init; } = 1;

    /// <summary>Gets the GPUs. Default 0.</summary>
    public double NumGpus { get; init; }

    /// <summary>Gets custom resources by name; null for none.</summary>
    public ImmutableDictionary<string, double>? Resources { get; init; }
}
