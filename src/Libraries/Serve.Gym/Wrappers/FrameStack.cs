using Serve.Rl.Spaces;

namespace Serve.Rl.Wrappers;

/// <summary>Returns the last observations together, oldest first, with a new first dimension. After a reset all of them are the first observation.</summary>
public sealed class FrameStack<TAct> : EnvWrapper<float[], TAct>
    where TAct : notnull
{
    private readonly int _frameSize;
    private readonly float[] _frames;

    /// <summary>Wraps an environment.</summary>
    /// <exception cref="ArgumentException">The observation space is not a <see cref="Box"/>, or <paramref name="count"/> is not positive.</exception>
    public FrameStack(Env<float[], TAct> env, int count)
        : base(env)
    {
        if (count < 1)
            throw new ArgumentOutOfRangeException(nameof(count), $"The number of frames must be at least 1, but was {count}.");
        var box = env.ObservationSpace as Box ?? throw new ArgumentException($"Observation space of {DisplayName} must be a Box, but was {env.ObservationSpace}.", nameof(env));
        _frameSize = box.FlatSize;
        _frames = new float[count * _frameSize];
        ObservationSpace = new Box(Repeated(box.Low, count), Repeated(box.High, count), [count, .. box.Shape]);
    }

    /// <inheritdoc />
    public override Space<float[]> ObservationSpace { get; }

    /// <inheritdoc />
    public override (float[] Observation, EnvInfo Info) Reset(ulong? seed = null, IReadOnlyDictionary<string, object>? options = null)
    {
        var (observation, info) = Inner.Reset(seed, options);
        for (var offset = 0; offset < _frames.Length; offset += _frameSize)
            observation.CopyTo(_frames, offset);
        return ([.. _frames], info);
    }

    /// <inheritdoc />
    public override StepResult<float[]> Step(TAct action)
    {
        var step = Inner.Step(action);
        Array.Copy(_frames, _frameSize, _frames, 0, _frames.Length - _frameSize);
        step.Observation.CopyTo(_frames, _frames.Length - _frameSize);
        return step with { Observation = [.. _frames] };
    }

    private static float[] Repeated(ReadOnlySpan<float> values, int count)
    {
        var repeated = new float[values.Length * count];
        for (var offset = 0; offset < repeated.Length; offset += values.Length)
            values.CopyTo(repeated.AsSpan(offset));
        return repeated;
    }
}
