namespace Serve.Rl.Wrappers;

/// <summary>Return and length of an episode.</summary>
/// <param name="Return">The sum of rewards.</param>
/// <param name="Length">The number of steps.</param>
public sealed record EpisodeStatistics(double Return, int Length);

/// <summary>Adds an <see cref="EpisodeStatistics"/> with the key <c>episode</c> to the information of the last step of each episode, and keeps the statistics of the last episodes.</summary>
/// <param name="env">The environment.</param>
/// <param name="bufferLength">The number of episodes to keep.</param>
public sealed class RecordEpisodeStatistics<TObs, TAct>(Env<TObs, TAct> env, int bufferLength = 100) : EnvWrapper<TObs, TAct>(env)
    where TObs : notnull
    where TAct : notnull
{
    private readonly Queue<EpisodeStatistics> _episodes = new();
    private double _return;
    private int _length;

    /// <summary>Gets the statistics of the last episodes, oldest first.</summary>
    public IReadOnlyCollection<EpisodeStatistics> Episodes => _episodes;

    /// <inheritdoc />
    public override (TObs Observation, EnvInfo Info) Reset(ulong? seed = null, IReadOnlyDictionary<string, object>? options = null)
    {
        (_return, _length) = (0, 0);
        return Inner.Reset(seed, options);
    }

    /// <inheritdoc />
    public override StepResult<TObs> Step(TAct action)
    {
        var step = Inner.Step(action);
        _return += step.Reward;
        _length++;
        if (!step.Done)
            return step;

        var episode = new EpisodeStatistics(_return, _length);
        _episodes.Enqueue(episode);
        if (_episodes.Count > bufferLength)
            _episodes.Dequeue();
        return step with { Info = step.Info.With("episode", episode) };
    }
}
