using Serve.Rl.Rendering;
using Serve.Rl.Spaces;

namespace Serve.Rl.Wrappers;

/// <summary>Rejects invalid actions, steps and rendering before the first reset, and steps after the end of an episode. <c>Gym.Make</c> adds it.</summary>
internal sealed class StepGuard<TObs, TAct>(Env<TObs, TAct> env) : EnvWrapper<TObs, TAct>(env)
    where TObs : notnull
    where TAct : notnull
{
    private const string NotStarted = "before the first Reset";

    private string? _obstacle = NotStarted;

    public override (TObs Observation, EnvInfo Info) Reset(ulong? seed = null, IReadOnlyDictionary<string, object>? options = null)
    {
        var started = Inner.Reset(seed, options);
        _obstacle = null;
        return started;
    }

    public override StepResult<TObs> Step(TAct action)
    {
        if (_obstacle is not null)
            throw new InvalidOperationException($"Step of {DisplayName} must not be called {_obstacle}. Call Reset first.");
        if (!Inner.ActionSpace.IsUsableAction(action))
            throw new ArgumentException($"Action of {DisplayName} must be an element of {Inner.ActionSpace}, but was {Space.Describe(action)}.", nameof(action));

        var step = Inner.Step(action);
        _obstacle = (step.Terminated, step.Truncated) switch
        {
            (true, _) => "after the episode has terminated",
            (_, true) => "after the episode was truncated",
            _ => null,
        };
        return step;
    }

    public override string? Render() => HasStarted().Render();

    public override RgbFrame? RenderRgb() => HasStarted().RenderRgb();

    private Env<TObs, TAct> HasStarted() =>
        _obstacle == NotStarted ? throw new InvalidOperationException($"Render of {DisplayName} must not be called {NotStarted}. Call Reset first.") : Inner;
}
