using Serve.Rl.Rendering;
using Serve.Rl.Spaces;

namespace Serve.Rl.Wrappers;

/// <summary>Base of environments that change the behavior of another one. By default all members forward to it.</summary>
public abstract class EnvWrapper<TObs, TAct> : Env<TObs, TAct>
    where TObs : notnull
    where TAct : notnull
{
    /// <summary>Wraps an environment, which the wrapper disposes.</summary>
    protected EnvWrapper(Env<TObs, TAct> env)
    {
        ArgumentNullException.ThrowIfNull(env);
        Inner = env;
        Spec = env.Spec;
    }

    /// <inheritdoc />
    public override Space<TObs> ObservationSpace => Inner.ObservationSpace;

    /// <inheritdoc />
    public override Space<TAct> ActionSpace => Inner.ActionSpace;

    /// <inheritdoc />
    public sealed override Env Unwrapped => Inner.Unwrapped;

    /// <summary>Gets the wrapped environment.</summary>
    protected Env<TObs, TAct> Inner { get; }

    /// <inheritdoc />
    public override (TObs Observation, EnvInfo Info) Reset(ulong? seed = null, IReadOnlyDictionary<string, object>? options = null) => Inner.Reset(seed, options);

    /// <inheritdoc />
    public override StepResult<TObs> Step(TAct action) => Inner.Step(action);

    /// <inheritdoc />
    public override string? Render() => Inner.Render();

    /// <inheritdoc />
    public override RgbFrame? RenderRgb() => Inner.RenderRgb();

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            Inner.Dispose();
        base.Dispose(disposing);
    }
}
