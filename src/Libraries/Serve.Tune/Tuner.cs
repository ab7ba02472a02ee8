using Serve.Experiments;
using Serve.Tuning.Spaces;

namespace Serve.Tuning;

/// <summary>Runs an objective with different parameters on a cluster. Trials run in the process of the driver and hold the resources of <see cref="Resources"/>.</summary>
public sealed class Tuner
{
    private readonly Cluster _cluster;

    /// <summary>Creates a tuner of an objective that reports metrics.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="space">The search space.</param>
    /// <param name="objective">The objective; it calls <see cref="TrialContext.Report"/> after each iteration.</param>
    public Tuner(Cluster cluster, ParamSpace space, Func<TrialContext, Task> objective)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentNullException.ThrowIfNull(space);
        ArgumentNullException.ThrowIfNull(objective);
        (_cluster, Space, Objective) = (cluster, space, objective);
    }

    /// <summary>Creates a tuner of a function whose result is the metric.</summary>
    public Tuner(Cluster cluster, ParamSpace space, Func<ParamValues, double> objective)
        : this(cluster, space, context => Evaluate(objective, context)) => ArgumentNullException.ThrowIfNull(objective);

    /// <summary>Gets the search space.</summary>
    public ParamSpace Space { get; }

    /// <summary>The objective.</summary>
    internal Func<TrialContext, Task> Objective { get; }

    /// <summary>Gets how parameters are searched.</summary>
    public required TuneConfig Tune { get; init; }

    /// <summary>Gets the resources of each trial.</summary>
    public TrialResources Resources { get; init; } = new();

    /// <summary>Gets the name, the storage path and the stopper of the run.</summary>
    public RunConfig Run { get; init; } = new();

    /// <summary>Gets the retention of checkpoints.</summary>
    public CheckpointConfig Checkpoints { get; init; } = new();

    /// <summary>Gets the handling of failed trials.</summary>
    public FailureConfig Failure { get; init; } = new();

    /// <summary>Gets whether reports are also written to result files and TensorBoard; true by default.</summary>
    public bool WritesResultFiles { get; init; } = true;

    /// <summary>Gets the clock; the system clock by default.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Runs all trials.</summary>
    /// <exception cref="ArgumentException">The space or the configuration is invalid.</exception>
    /// <exception cref="InsufficientResourcesException">A trial needs more than the cluster has.</exception>
    /// <exception cref="IOException">The experiment exists, or its files cannot be written.</exception>
    /// <exception cref="OperationCanceledException">The run was interrupted; <see cref="Restore"/> continues it.</exception>
    public async Task<ResultGrid> Fit(CancellationToken cancellationToken = default)
    {
        Validate();
        using var coordinator = new TrialCoordinator(this, SearchSpace.Create(Space));
        await using var experiment = Experiment.Create(Run, Checkpoints, coordinator.Settings, TimeProvider, WritesResultFiles);
        return await coordinator.RunAsync(experiment, _cluster, Objective, cancellationToken);
    }

    /// <summary>Continues a run, for example after the death of its process. Finished trials are not repeated. The space, the search algorithm and its seed must be the same.</summary>
    /// <param name="path">The folder of the experiment.</param>
    /// <param name="resumeErrored">Whether failed trials continue from their last checkpoints.</param>
    /// <param name="restartErrored">Whether failed trials start from the beginning.</param>
    /// <param name="cancellationToken">Interrupts the run.</param>
    /// <exception cref="ArgumentException">The experiment has another space or other suggestions.</exception>
    /// <exception cref="IOException">Another run uses the experiment.</exception>
    public async Task<ResultGrid> Restore(string path, bool resumeErrored = false, bool restartErrored = false, CancellationToken cancellationToken = default)
    {
        Validate();
        using var coordinator = new TrialCoordinator(this, SearchSpace.Create(Space));
        await using var experiment = Experiment.Open(path, Checkpoints, TimeProvider, WritesResultFiles);
        coordinator.Replay(experiment, resumeErrored, restartErrored);
        return await coordinator.RunAsync(experiment, _cluster, Objective, cancellationToken);
    }

    private static Task Evaluate(Func<ParamValues, double> objective, TrialContext context)
    {
        context.ReportValue(objective(context.Params));
        return Task.CompletedTask;
    }

    private void Validate()
    {
        ArgumentException.ThrowIfNullOrEmpty(Tune.Metric);
        if (Tune.NumSamples is 0 or < -1)
            throw new ArgumentOutOfRangeException(nameof(Tune), $"NumSamples must be positive or -1, but was {Tune.NumSamples}.");
        if (Tune.NumSamples == -1 && Tune.TimeBudget is null && Run.Stop is null)
            throw new ArgumentException("NumSamples -1 must have a TimeBudget or a stopper, otherwise the run never ends.", nameof(Tune));
        if (Tune.MaxConcurrentTrials < 1)
            throw new ArgumentOutOfRangeException(nameof(Tune), $"MaxConcurrentTrials must be at least 1 or null, but was {Tune.MaxConcurrentTrials}.");
        if (Tune.TimeBudget <= TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(nameof(Tune), $"TimeBudget must be positive or null, but was {Tune.TimeBudget}.");
        foreach (var (name, needed) in new[] { ("CPU", Resources.NumCpus), ("GPU", Resources.NumGpus) }.Concat((Resources.Resources ?? []).Select(pair => (pair.Key, pair.Value))))
        {
            var available = _cluster.Resources.GetValueOrDefault(name);
            if (needed > available)
                throw new InsufficientResourcesException(FormattableString.Invariant($"A trial needs {needed} {name}, but the cluster has {available}."), isPermanent: true);
        }
    }
}
