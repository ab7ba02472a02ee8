using Serve.Rl.Rendering;
using Serve.Rl.Spaces;
using Serve.Rl.Vectors;

namespace Serve.Rl;

/// <summary>
/// A task that an agent acts in, with untyped observations and actions. <see cref="Gym.Make(string, IReadOnlyDictionary{string, object}?, int?)"/> returns this type; derive from
/// <see cref="Env{TObs, TAct}"/> to write an environment. Instances are not thread-safe.
/// </summary>
public abstract class Env : IDisposable
{
    private Pcg64Random? _random;

    private protected Env()
    {
    }

    /// <summary>Gets the registered specification; null if the environment was constructed directly.</summary>
    public EnvSpec? Spec { get; internal set; }

    /// <summary>Gets the space of observations.</summary>
    public abstract Space ObservationSpace { get; }

    /// <summary>Gets the space of actions.</summary>
    public abstract Space ActionSpace { get; }

    /// <summary>Gets the innermost environment, without wrappers.</summary>
    public virtual Env Unwrapped => this;

    /// <summary>Name for messages: the registered id or the type's name.</summary>
    internal string DisplayName => Spec?.Id ?? Unwrapped.GetType().Name;

    /// <summary>Gets the random number generator; seeded randomly if no reset had a seed.</summary>
    protected internal Pcg64Random Random => _random ??= new Pcg64Random();

    /// <summary>Starts an episode.</summary>
    /// <param name="seed">Seeds the random number generator, as in Gymnasium; null continues its sequence.</param>
    /// <param name="options">Options of the environment; see its documentation.</param>
    public (object Observation, EnvInfo Info) Reset(ulong? seed = null, IReadOnlyDictionary<string, object>? options = null) => ResetUntyped(seed, options);

    /// <summary>Executes an action.</summary>
    /// <exception cref="ArgumentException">The action is not in the action space.</exception>
    /// <exception cref="InvalidOperationException">The episode has not started or has ended.</exception>
    public StepResult<object> Step(object action) => StepUntyped(action);

    /// <summary>Renders the current state as text for a terminal; null if the environment has no rendering.</summary>
    public virtual string? Render() => null;

    /// <summary>Renders the current state as an image; null if the environment has no rendering.</summary>
    public virtual RgbFrame? RenderRgb() => null;

    /// <summary>Releases the environment's resources.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases resources of a derived class.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }

    /// <summary>Restarts the random number generator if a seed is given. Call it first in <c>Reset</c>.</summary>
    protected void SeedRandom(ulong? seed)
    {
        if (seed is { } value)
            _random = new Pcg64Random(value);
    }

    private protected abstract (object Observation, EnvInfo Info) ResetUntyped(ulong? seed, IReadOnlyDictionary<string, object>? options);

    private protected abstract StepResult<object> StepUntyped(object action);

    /// <summary>Adds the time limit and the checks of order and actions.</summary>
    internal abstract Env Guard(int? maxEpisodeSteps);

    /// <summary>Combines environments of this type into a vector environment.</summary>
    internal abstract VectorEnv Vectorize(IReadOnlyList<Env> environments);
}

/// <summary>A task that an agent acts in. Derive from it, call <see cref="Env.SeedRandom"/> first in <see cref="Reset"/>, and draw all random numbers from <see cref="Env.Random"/>.</summary>
/// <typeparam name="TObs">The type of observations, for example <see cref="int"/> for <see cref="Discrete"/> and a float array for <see cref="Box"/>.</typeparam>
/// <typeparam name="TAct">The type of actions.</typeparam>
public abstract class Env<TObs, TAct> : Env
    where TObs : notnull
    where TAct : notnull
{
    /// <inheritdoc />
    public abstract override Space<TObs> ObservationSpace { get; }

    /// <inheritdoc />
    public abstract override Space<TAct> ActionSpace { get; }

    /// <inheritdoc cref="Env.Reset" />
    public abstract new (TObs Observation, EnvInfo Info) Reset(ulong? seed = null, IReadOnlyDictionary<string, object>? options = null);

    /// <inheritdoc cref="Env.Step" />
    public abstract StepResult<TObs> Step(TAct action);

    private protected sealed override (object Observation, EnvInfo Info) ResetUntyped(ulong? seed, IReadOnlyDictionary<string, object>? options) => Reset(seed, options);

    private protected sealed override StepResult<object> StepUntyped(object action)
    {
        ArgumentNullException.ThrowIfNull(action);
        if (action is not TAct typed)
            throw new ArgumentException($"Action of {DisplayName} must be of type {typeof(TAct).Name} for {ActionSpace}, but was of type {action.GetType().Name}.", nameof(action));
        var step = Step(typed);
        return new(step.Observation, step.Reward, step.Terminated, step.Truncated, step.Info);
    }

    internal sealed override Env Guard(int? maxEpisodeSteps) =>
        new Wrappers.StepGuard<TObs, TAct>(maxEpisodeSteps is { } limit ? new Wrappers.TimeLimit<TObs, TAct>(this, limit) : this);

    internal sealed override VectorEnv Vectorize(IReadOnlyList<Env> environments) => VectorEnvFactory.Create([.. environments.Cast<Env<TObs, TAct>>()]);
}

/// <summary>The result of an action.</summary>
/// <param name="Observation">The observation after the action.</param>
/// <param name="Reward">The reward of the action.</param>
/// <param name="Terminated">Whether the task has ended: the value of later states is 0.</param>
/// <param name="Truncated">Whether the episode was cut, usually by a time limit: the value of later states is unknown, not 0.</param>
/// <param name="Info">Additional information.</param>
public readonly record struct StepResult<TObs>(TObs Observation, double Reward, bool Terminated, bool Truncated, EnvInfo Info)
{
    /// <summary>Gets whether the episode has ended for either reason.</summary>
    public bool Done => Terminated || Truncated;
}
