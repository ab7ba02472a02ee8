using Serve.Rl.Spaces;

namespace Serve.Rl.Wrappers;

/// <summary>Normalizes each element of observations by the running mean and variance of all observations so far.</summary>
public sealed class NormalizeObservation<TAct> : EnvWrapper<float[], TAct>
    where TAct : notnull
{
    private readonly RunningMoments _moments;

    /// <summary>Wraps an environment.</summary>
    public NormalizeObservation(Env<float[], TAct> env)
        : base(env)
    {
        _moments = new RunningMoments(env.ObservationSpace.FlatSize);
        ObservationSpace = new Box(float.NegativeInfinity, float.PositiveInfinity, [.. ((Box)env.ObservationSpace).Shape]);
    }

    /// <inheritdoc />
    public override Space<float[]> ObservationSpace { get; }

    /// <summary>Gets or sets whether observations update the mean and the variance; true by default. Set it to false for evaluation.</summary>
    public bool UpdateRunningMean { get; set; } = true;

    /// <inheritdoc />
    public override (float[] Observation, EnvInfo Info) Reset(ulong? seed = null, IReadOnlyDictionary<string, object>? options = null)
    {
        var (observation, info) = Inner.Reset(seed, options);
        return (Normalize(observation), info);
    }

    /// <inheritdoc />
    public override StepResult<float[]> Step(TAct action)
    {
        var step = Inner.Step(action);
        return step with { Observation = Normalize(step.Observation) };
    }

    private float[] Normalize(float[] observation)
    {
        if (UpdateRunningMean)
            _moments.Add(Array.ConvertAll(observation, value => (double)value));
        return [.. observation.Select((value, index) => (float)_moments.Centered(index, value))];
    }
}

/// <summary>Divides rewards by the running standard deviation of the discounted return, so that returns have a variance of about 1.</summary>
public sealed class NormalizeReward<TObs, TAct> : EnvWrapper<TObs, TAct>
    where TObs : notnull
    where TAct : notnull
{
    private readonly RunningMoments _moments = new(1);
    private readonly double _gamma;
    private double _discountedReturn;

    /// <summary>Wraps an environment.</summary>
    /// <param name="env">The environment.</param>
    /// <param name="gamma">The discount factor, from 0 to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="gamma"/> is not between 0 and 1.</exception>
    public NormalizeReward(Env<TObs, TAct> env, double gamma = 0.99)
        : base(env) =>
        _gamma = gamma is >= 0 and <= 1 ? gamma : throw new ArgumentOutOfRangeException(nameof(gamma), FormattableString.Invariant($"Gamma must be between 0 and 1, but was {gamma}."));

    /// <summary>Gets or sets whether rewards update the variance; true by default. Set it to false for evaluation.</summary>
    public bool UpdateRunningMean { get; set; } = true;

    /// <inheritdoc />
    public override StepResult<TObs> Step(TAct action)
    {
        var step = Inner.Step(action);
        _discountedReturn = (_discountedReturn * _gamma * (step.Terminated ? 0 : 1)) + step.Reward;
        if (UpdateRunningMean)
            _moments.Add([_discountedReturn]);
        return step with { Reward = _moments.Scaled(0, step.Reward) };
    }
}
