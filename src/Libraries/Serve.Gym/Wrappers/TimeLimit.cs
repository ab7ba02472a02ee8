namespace Serve.Rl.Wrappers;

/// <summary>Truncates episodes after a number of steps.</summary>
public sealed class TimeLimit<TObs, TAct> : EnvWrapper<TObs, TAct>
    where TObs : notnull
    where TAct : notnull
{
    private readonly int _maxEpisodeSteps;
    private int _elapsedSteps;

    /// <summary>Wraps an environment.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxEpisodeSteps"/> is not positive.</exception>
    public TimeLimit(Env<TObs, TAct> env, int maxEpisodeSteps)
        : base(env) =>
        _maxEpisodeSteps = maxEpisodeSteps > 0
            ? maxEpisodeSteps
            : throw new ArgumentOutOfRangeException(nameof(maxEpisodeSteps), $"The limit of steps must be at least 1, but was {maxEpisodeSteps}.");

    /// <inheritdoc />
    public override (TObs Observation, EnvInfo Info) Reset(ulong? seed = null, IReadOnlyDictionary<string, object>? options = null)
    {
        _elapsedSteps = 0;
        return Inner.Reset(seed, options);
    }

    /// <inheritdoc />
    public override StepResult<TObs> Step(TAct action)
    {
        var step = Inner.Step(action);
        return ++_elapsedSteps >= _maxEpisodeSteps ? step with { Truncated = true } : step;
    }
}
