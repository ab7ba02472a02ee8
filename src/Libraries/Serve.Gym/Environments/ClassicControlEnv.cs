using System.Globalization;
using Serve.Rl.Rendering;
using Serve.Rl.Spaces;

namespace Serve.Rl.Environments;

/// <summary>Base of the environments with a few continuous state variables. Text rendering is the image in terminal colors.</summary>
public abstract class ClassicControlEnv<TAct> : Env<float[], TAct>
    where TAct : notnull
{
    private protected ClassicControlEnv(Box observationSpace, Space<TAct> actionSpace) => (ObservationSpace, ActionSpace) = (observationSpace, actionSpace);

    /// <inheritdoc />
    public sealed override Space<float[]> ObservationSpace { get; }

    /// <inheritdoc />
    public sealed override Space<TAct> ActionSpace { get; }

    /// <summary>The state variables; null before the first reset.</summary>
    internal double[]? State { get; set; }

    /// <inheritdoc />
    public sealed override (float[] Observation, EnvInfo Info) Reset(ulong? seed = null, IReadOnlyDictionary<string, object>? options = null)
    {
        SeedRandom(seed);
        State = DrawStart(options);
        return (Observe(), EnvInfo.Empty);
    }

    /// <inheritdoc />
    public sealed override StepResult<float[]> Step(TAct action)
    {
        if (!ActionSpace.IsUsableAction(action))
            throw new ArgumentException($"Action of {DisplayName} must be an element of {ActionSpace}, but was {Space.Describe(action)}.", nameof(action));
        var state = State ?? throw new InvalidOperationException($"Step of {DisplayName} must not be called before the first Reset. Call Reset first.");
        var (reward, terminated) = Advance(state, action);
        return new(Observe(), reward, terminated, false, EnvInfo.Empty);
    }

    /// <inheritdoc />
    public sealed override string? Render() => RenderRgb()?.ToAnsi();

    /// <inheritdoc />
    public sealed override RgbFrame? RenderRgb() => State is { } state ? Draw(state) : null;

    private protected abstract double[] DrawStart(IReadOnlyDictionary<string, object>? options);

    /// <summary>Changes the state by one time step.</summary>
    private protected abstract (double Reward, bool Terminated) Advance(double[] state, TAct action);

    private protected virtual float[] Observe() => Array.ConvertAll(State!, value => (float)value);

    private protected abstract RgbFrame Draw(double[] state);

    /// <summary>Returns the options <c>low</c> and <c>high</c>, the bounds of start states.</summary>
    private protected (double Low, double High) StartBounds(IReadOnlyDictionary<string, object>? options, double low, double high)
    {
        (low, high) = (Option(options, "low", low), Option(options, "high", high));
        return low <= high ? (low, high) : throw new ArgumentException(FormattableString.Invariant($"Reset options of {DisplayName} must satisfy low <= high, but were low {low}, high {high}."), nameof(options));
    }

    private protected double Option(IReadOnlyDictionary<string, object>? options, string key, double defaultValue) => options is null || !options.TryGetValue(key, out var value) ? defaultValue
        : value is IConvertible and not string and not bool ? Convert.ToDouble(value, CultureInfo.InvariantCulture)
        : throw new ArgumentException($"Reset option '{key}' of {DisplayName} must be a number, but was {Space.Describe(value)}.", nameof(options));

    private protected double[] DrawUniform(int count, (double Low, double High) bounds)
    {
        var values = new double[count];
        for (var i = 0; i < count; i++)
            values[i] = Random.NextUniform(bounds.Low, bounds.High);
        return values;
    }
}
