using Serve.Experiments.Stopping;

namespace Serve.Experiments;

/// <summary>Where and how long a training or tuning run works.</summary>
public sealed record RunConfig
{
    /// <summary>Gets the name of the experiment, which is the name of its folder. By default the time of the start.</summary>
    public string? Name { get; init; }

    /// <summary>Gets the folder of all experiments; by default <c>ray_results</c> in the user's home folder.</summary>
    public string StoragePath { get; init; } = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), "ray_results");

    /// <summary>Gets the rule that stops trials or the run; null to stop by the trials themselves.</summary>
    public Stopper? Stop { get; init; }
}

/// <summary>Which checkpoints are kept.</summary>
public sealed record CheckpointConfig
{
    /// <summary>Gets the number of checkpoints to keep per trial; null keeps all.</summary>
    public int? NumToKeep { get; init; }

    /// <summary>Gets the number of checkpoints to keep over all trials of the experiment; null keeps all. The last checkpoint of each trial is kept in any case.</summary>
    public int? NumToKeepTotal { get; init; }

    /// <summary>Gets the metric by which checkpoints are ranked; null ranks by time, the latest first.</summary>
    public string? ScoreAttribute { get; init; }

    /// <summary>Gets whether high or low values of <see cref="ScoreAttribute"/> are better.</summary>
    public ScoreOrder ScoreOrder { get; init; } = ScoreOrder.Max;

    /// <summary>Throws if a value is invalid.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive.</exception>
    public void Validate()
    {
        if (NumToKeep < 1)
            throw new ArgumentOutOfRangeException(nameof(NumToKeep), $"NumToKeep must be at least 1 or null, but was {NumToKeep}.");
        if (NumToKeepTotal < 1)
            throw new ArgumentOutOfRangeException(nameof(NumToKeepTotal), $"NumToKeepTotal must be at least 1 or null, but was {NumToKeepTotal}.");
    }
}

/// <summary>Order of scores.</summary>
public enum ScoreOrder
{
    /// <summary>High values are better.</summary>
    Max,

    /// <summary>Low values are better.</summary>
    Min,
}

/// <summary>How failures of trials are handled.</summary>
public sealed record FailureConfig
{
    /// <summary>Gets how often a trial is retried from its last checkpoint; 0 never, -1 without limit.</summary>
    public int MaxFailures { get; init; }

    /// <summary>Gets whether the first trial that fails finally stops the others. They can be resumed.</summary>
    public bool FailFast { get; init; }
}
