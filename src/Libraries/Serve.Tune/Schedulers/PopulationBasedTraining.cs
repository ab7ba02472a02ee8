using System.Globalization;
using Serve.Tuning.Spaces;

namespace Serve.Tuning.Schedulers;

/// <summary>
/// Population-based training (M. Jaderberg et al., 2017): at intervals, trials in the worst part copy the checkpoint of a trial in the best part and continue with its parameters, perturbed or
/// resampled.
/// </summary>
public sealed class PopulationBasedTraining : TrialScheduler
{
    private readonly SearchSpace _mutations;
    private readonly int _interval;
    private readonly double _quantile;
    private readonly double _resampleProbability;
    private readonly (double Down, double Up) _perturbation;
    private readonly Random _random;
    private readonly SortedDictionary<string, Member> _population = new(StringComparer.Ordinal);

    /// <summary>Creates the scheduler.</summary>
    /// <param name="mutations">The parameters to change, with their distributions.</param>
    /// <param name="interval">The iterations between changes of a trial.</param>
    /// <param name="quantile">The part of the population that copies and that is copied, at most one half.</param>
    /// <param name="resampleProbability">The probability of a new sample instead of a perturbation.</param>
    /// <param name="perturbDown">The factor of a perturbation downwards.</param>
    /// <param name="perturbUp">The factor of a perturbation upwards.</param>
    /// <param name="seed">The seed.</param>
    /// <exception cref="ArgumentException">The space of mutations is invalid or empty, or has a grid.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public PopulationBasedTraining(
        ParamSpace mutations, int interval = 10, double quantile = 0.25, double resampleProbability = 0.25, double perturbDown = 0.8, double perturbUp = 1.2, int seed = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(interval, 1);
        if (quantile is not (> 0 and <= 0.5))
            throw new ArgumentOutOfRangeException(nameof(quantile), FormattableString.Invariant($"Quantile must be positive and at most 0.5, but was {quantile}."));
        if (resampleProbability is not (>= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(resampleProbability), FormattableString.Invariant($"Probability must be between 0 and 1, but was {resampleProbability}."));
        _mutations = SearchSpace.Create(mutations);
        if (_mutations.Parameters.Count == 0 || _mutations.Parameters.Any(parameter => parameter.Condition is not null || parameter.Domain is not (ScalarDomain or ChoiceDomain)))
            throw new ArgumentException("Mutations must have at least one parameter, and only distributions without GridSearch, SampleFrom and When.", nameof(mutations));
        (_interval, _quantile, _resampleProbability, _perturbation, _random) = (interval, quantile, resampleProbability, (perturbDown, perturbUp), new Random(seed));
    }

    /// <inheritdoc />
    public override void Add(string trialId, ParamValues parameters) => _population[trialId] = new Member(parameters);

    /// <inheritdoc />
    public override TrialDecision Decide(string trialId, int iteration, double loss)
    {
        var member = _population[trialId];
        member.Loss = Worst(loss);
        if (iteration - member.LastChange < _interval)
            return TrialDecision.Continue;
        member.LastChange = iteration;

        var ranked = _population.Where(other => other.Value.Loss is not null).OrderBy(other => other.Value.Loss).Select(other => other.Key).ToArray();
        var count = Math.Min((int)Math.Ceiling(ranked.Length * _quantile), ranked.Length / 2);
        if (count == 0 || !ranked.AsSpan(ranked.Length - count).Contains(trialId))
            return TrialDecision.Continue;
        var source = ranked[_random.Next(count)];
        member.Params = Explore(_population[source].Params);
        return new(TrialAction.Exploit, PausedTrialActions.None, source, member.Params);
    }

    /// <inheritdoc />
    public override PausedTrialActions Complete(string trialId)
    {
        _population.Remove(trialId);
        return PausedTrialActions.None;
    }

    private ParamValues Explore(ParamValues parameters)
    {
        var changed = parameters.ToDictionary();
        foreach (var parameter in _mutations.Parameters)
        {
            changed[parameter.Path] = !changed.TryGetValue(parameter.Path, out var value) || _random.NextDouble() < _resampleProbability
                ? SearchSpace.Sample(parameter.Domain!, _random)
                : Perturb(parameter.Domain!, value);
        }

        return new ParamValues(changed);
    }

    /// <summary>Multiplies a number; moves a choice to one of its neighbors.</summary>
    private object Perturb(ParamDomain domain, object value)
    {
        var isUp = _random.Next(2) == 1;
        if (domain is ChoiceDomain choice)
        {
            var index = choice.IndexOf(value);
            return index < 0 ? SearchSpace.Sample(choice, _random) : choice.Values[Math.Clamp(index + (isUp ? 1 : -1), 0, choice.Values.Count - 1)];
        }

        var number = Convert.ToDouble(value, CultureInfo.InvariantCulture) * (isUp ? _perturbation.Up : _perturbation.Down);
        if (domain is not NumericDomain numeric)
            return number;
        number = Math.Clamp(number, numeric.Low, numeric.High);
        return numeric.IsInteger || numeric.Quantum is not null ? numeric.FromUnit(numeric.ToUnit(numeric.IsInteger ? Math.Round(number) : number)) : number;
    }

    /// <summary>A trial of the population.</summary>
    private sealed class Member(ParamValues parameters)
    {
        public ParamValues Params { get; set; } = parameters;

        public double? Loss { get; set; }

        public int LastChange { get; set; }
    }
}
