using Serve.Rl.Spaces;

namespace Serve.Rl.Vectors;

/// <summary>Several environments of one kind that step together. An environment whose episode ends restarts within the same step. Not thread-safe.</summary>
public abstract class VectorEnv : IDisposable
{
    private protected VectorEnv(EnvSpec? spec, int count, Space observationSpace, Space actionSpace, int observationSize, int actionSize)
    {
        (Spec, Count, SingleObservationSpace, SingleActionSpace) = (spec, count, observationSpace, actionSpace);
        (ObservationSize, ActionSize) = (observationSize, actionSize);
    }

    /// <summary>Gets the specification, with the limit of steps in effect.</summary>
    public EnvSpec? Spec { get; }

    /// <summary>Gets the number of environments.</summary>
    public int Count { get; }

    /// <summary>Gets the observation space of one environment.</summary>
    public Space SingleObservationSpace { get; }

    /// <summary>Gets the action space of one environment.</summary>
    public Space SingleActionSpace { get; }

    /// <summary>Gets the number of elements of one observation: 1 for a discrete one, otherwise the flattened size.</summary>
    public int ObservationSize { get; }

    /// <summary>Gets the number of elements of one action.</summary>
    public int ActionSize { get; }

    private protected string DisplayName => Spec?.Id ?? GetType().Name;

    /// <summary>Releases the environments.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases resources of a derived class.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>Several environments with observations and actions in flat arrays, one environment after another.</summary>
/// <typeparam name="TObs">The element type of observations: <see cref="int"/> if they are discrete, otherwise <see cref="float"/>.</typeparam>
/// <typeparam name="TAct">The element type of actions: <see cref="int"/> if they are discrete, otherwise <see cref="float"/>.</typeparam>
public abstract class VectorEnv<TObs, TAct> : VectorEnv
    where TObs : unmanaged
    where TAct : unmanaged
{
    private readonly TObs[] _observations;
    private readonly TObs[] _finalObservations;
    private readonly float[] _rewards;
    private readonly bool[] _terminated;
    private readonly bool[] _truncated;
    private bool _hasStarted;

    private protected VectorEnv(EnvSpec? spec, int count, Space observationSpace, Space actionSpace, int observationSize, int actionSize)
        : base(spec, count, observationSpace, actionSpace, observationSize, actionSize)
    {
        _observations = new TObs[count * observationSize];
        _finalObservations = new TObs[count * observationSize];
        _rewards = new float[count];
        _terminated = new bool[count];
        _truncated = new bool[count];
    }

    /// <summary>Gets the observations to act on; for an ended episode, the first one of the next episode.</summary>
    public ReadOnlySpan<TObs> Observations => _observations;

    /// <summary>Gets the observations after the last actions, before any restart. The value of a truncated episode is estimated from them.</summary>
    public ReadOnlySpan<TObs> FinalObservations => _finalObservations;

    /// <summary>Gets the rewards of the last actions.</summary>
    public ReadOnlySpan<float> Rewards => _rewards;

    /// <summary>Gets whether each task ended with the last action.</summary>
    public ReadOnlySpan<bool> Terminated => _terminated;

    /// <summary>Gets whether each episode was cut after the last action.</summary>
    public ReadOnlySpan<bool> Truncated => _truncated;

    /// <summary>Starts all episodes and writes to <see cref="Observations"/>.</summary>
    /// <param name="seed">Environment i is seeded with <c>seed + i</c>; null continues their random numbers.</param>
    public void Reset(ulong? seed = null) => Reset(_observations, seed);

    /// <summary>Starts all episodes.</summary>
    /// <param name="observations">Receives the first observations.</param>
    /// <param name="seed">Environment i is seeded with <c>seed + i</c>; null continues their random numbers.</param>
    /// <exception cref="ArgumentException">The span has the wrong length.</exception>
    public void Reset(Span<TObs> observations, ulong? seed = null)
    {
        RequireLength(observations.Length, Count * ObservationSize, "Observations");
        ResetCore(observations, seed);
        _hasStarted = true;
    }

    /// <summary>Executes one action in each environment and writes to the properties of this instance.</summary>
    /// <exception cref="ArgumentException">The number of actions is wrong or an action is not in the action space; no environment has changed.</exception>
    /// <exception cref="InvalidOperationException"><see cref="Reset(ulong?)"/> has not been called.</exception>
    public void Step(ReadOnlySpan<TAct> actions) => Step(actions, new VectorStep<TObs>(_observations, _rewards, _terminated, _truncated, _finalObservations));

    /// <summary>Executes one action in each environment and writes to buffers of the caller, for example a row of a learner's arrays.</summary>
    /// <exception cref="ArgumentException">A span has the wrong length or an action is not in the action space; no environment has changed.</exception>
    /// <exception cref="InvalidOperationException"><see cref="Reset(ulong?)"/> has not been called.</exception>
    public void Step(ReadOnlySpan<TAct> actions, VectorStep<TObs> into)
    {
        if (!_hasStarted)
            throw new InvalidOperationException($"Step of {DisplayName} must not be called before the first Reset. Call Reset first.");
        RequireLength(actions.Length, Count * ActionSize, "Actions");
        RequireLength(into.Observations.Length, Count * ObservationSize, "Observations");
        RequireLength(into.FinalObservations.Length, Count * ObservationSize, "Final observations");
        RequireLength(into.Rewards.Length, Count, "Rewards");
        RequireLength(into.Terminated.Length, Count, "Terminated");
        RequireLength(into.Truncated.Length, Count, "Truncated");
        RequireActions(actions);
        StepCore(actions, into);
    }

    private protected abstract void ResetCore(Span<TObs> observations, ulong? seed);

    private protected abstract void StepCore(ReadOnlySpan<TAct> actions, VectorStep<TObs> into);

    private protected abstract void RequireActions(ReadOnlySpan<TAct> actions);

    /// <summary>Throws if an action is outside of a discrete space.</summary>
    private protected void RequireDiscrete(ReadOnlySpan<int> actions, Discrete space)
    {
        var invalid = actions.IndexOfAnyExceptInRange(space.Start, space.Start + space.Count - 1);
        if (invalid >= 0)
            throw InvalidAction(invalid, actions[invalid]);
    }

    private protected ArgumentException InvalidAction(int index, object action) =>
        new($"Action {index} of {DisplayName} must be an element of {SingleActionSpace}, but was {Space.Describe(action)}.");

    private void RequireLength(int length, int expected, string name)
    {
        if (length != expected)
            throw new ArgumentException($"{name} of {Count} environments {DisplayName} must have {expected} elements, but had {length}.");
    }
}

/// <summary>Buffers that receive the results of a step. Observations have <see cref="VectorEnv.ObservationSize"/> elements per environment, others one.</summary>
/// <param name="observations">Receives the observations to act on.</param>
/// <param name="rewards">Receives the rewards.</param>
/// <param name="terminated">Receives whether each task ended.</param>
/// <param name="truncated">Receives whether each episode was cut.</param>
/// <param name="finalObservations">Receives the observations before any restart.</param>
public readonly ref struct VectorStep<TObs>(Span<TObs> observations, Span<float> rewards, Span<bool> terminated, Span<bool> truncated, Span<TObs> finalObservations)
{
    /// <summary>Gets the observations to act on.</summary>
    public Span<TObs> Observations { get; } = observations;

    /// <summary>Gets the rewards.</summary>
    public Span<float> Rewards { get; } = rewards;

    /// <summary>Gets whether each task ended.</summary>
    public Span<bool> Terminated { get; } = terminated;

    /// <summary>Gets whether each episode was cut.</summary>
    public Span<bool> Truncated { get; } = truncated;

    /// <summary>Gets the observations before any restart.</summary>
    public Span<TObs> FinalObservations { get; } = finalObservations;
}
