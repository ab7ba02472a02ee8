using Serve.Rl.Spaces;

namespace Serve.Rl.Wrappers;

/// <summary>Clips each element of an action to the bounds of the action space. The wrapper itself accepts all finite actions.</summary>
public sealed class ClipAction<TObs> : EnvWrapper<TObs, float[]>
    where TObs : notnull
{
    private readonly Box _bounds;

    /// <summary>Wraps an environment.</summary>
    /// <exception cref="ArgumentException">The action space is not a <see cref="Box"/>.</exception>
    public ClipAction(Env<TObs, float[]> env)
        : base(env)
    {
        _bounds = env.ActionSpace as Box ?? throw new ArgumentException($"Action space of {DisplayName} must be a Box, but was {env.ActionSpace}.", nameof(env));
        ActionSpace = new Box(float.NegativeInfinity, float.PositiveInfinity, [.. _bounds.Shape]);
    }

    /// <inheritdoc />
    public override Space<float[]> ActionSpace { get; }

    /// <inheritdoc />
    public override StepResult<TObs> Step(float[] action)
    {
        ArgumentNullException.ThrowIfNull(action);
        if (action.Length != _bounds.FlatSize)
            throw new ArgumentException($"Action of {DisplayName} must have {_bounds.FlatSize} elements, but had {action.Length}.", nameof(action));
        return Inner.Step([.. action.Select((value, index) => Math.Clamp(value, _bounds.Low[index], _bounds.High[index]))]);
    }
}
