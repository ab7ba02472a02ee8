using System.Collections;
using Serve.Rl.Spaces;

namespace Serve.Rl.Registry;

/// <summary>Finds all rules that an environment breaks.</summary>
internal sealed class EnvChecker(Env env)
{
    private const int StepsPerRun = 100;

    private readonly List<string> _problems = [];

    public IReadOnlyList<string> Run()
    {
        try
        {
            if (env.ObservationSpace is null)
                _problems.Add("ObservationSpace must not be null.");
            if (env.ActionSpace is null)
                _problems.Add("ActionSpace must not be null.");
            if (_problems.Count > 0)
                return _problems;

            var first = Play(123);
            var second = Play(123);
            if (_problems.Count == 0)
                Compare(first, second);
        }
        catch (Exception failure)
        {
            _problems.Add($"{failure.GetType().Name} during the check: {failure.Message}");
        }

        return _problems;
    }

    /// <summary>Plays random actions that depend on the seed only.</summary>
    private List<StepResult<object>> Play(ulong seed)
    {
        List<StepResult<object>> steps = [];
        env.ActionSpace.Seed(seed);
        steps.Add(Restart(seed));
        for (var number = 1; number <= StepsPerRun && _problems.Count == 0; number++)
        {
            var step = env.Step(env.ActionSpace.Sample());
            if (step.Observation is Array && ReferenceEquals(step.Observation, steps[^1].Observation))
                _problems.Add($"Step {number} must return a new array, but returned the previous one. Copy the state.");
            steps.Add(step);
            CheckObservation(step.Observation, $"Step {number}");
            if (step.Info is null)
                _problems.Add($"Step {number} must return information, but returned null. Return EnvInfo.Empty.");
            if (!double.IsFinite(step.Reward))
                _problems.Add(FormattableString.Invariant($"Step {number} must return a finite reward, but returned {step.Reward}."));
            if (step.Done && _problems.Count == 0)
                steps.Add(Restart(null));
        }

        return steps;
    }

    private StepResult<object> Restart(ulong? seed)
    {
        var (observation, info) = env.Reset(seed);
        CheckObservation(observation, seed is null ? "Reset()" : $"Reset(seed: {seed})");
        if (info is null)
            _problems.Add("Reset must return information, but returned null. Return EnvInfo.Empty.");
        return new(observation, 0, false, false, info!);
    }

    private void CheckObservation(object? observation, string call)
    {
        if (!env.ObservationSpace.Contains(observation))
            _problems.Add($"{call} must return an element of {env.ObservationSpace}, but returned {Space.Describe(observation)}.");
    }

    private void Compare(List<StepResult<object>> first, List<StepResult<object>> second)
    {
        for (var i = 0; i < Math.Min(first.Count, second.Count); i++)
        {
            var (a, b) = (first[i], second[i]);
            var call = i == 0 ? "Reset(seed: 123)" : $"Call {i} after Reset(seed: 123)";
            if (!AreEqual(a.Observation, b.Observation))
                _problems.Add($"{call} must return the same observation for the same seed and actions, but returned {Space.Describe(a.Observation)} and {Space.Describe(b.Observation)}. "
                    + "Call SeedRandom(seed) first in Reset and draw random numbers from Random only.");
            else if (a.Reward != b.Reward || a.Terminated != b.Terminated || a.Truncated != b.Truncated)
                _problems.Add(FormattableString.Invariant(
                    $"{call} must return the same reward and end for the same seed and actions, but returned ({a.Reward}, {a.Terminated}, {a.Truncated}) and ({b.Reward}, {b.Terminated}, {b.Truncated})."));
            if (_problems.Count > 0)
                return;
        }
    }

    private static bool AreEqual(object? first, object? second) => (first, second) switch
    {
        (IReadOnlyDictionary<string, object> a, IReadOnlyDictionary<string, object> b) => a.Count == b.Count && a.All(pair => b.TryGetValue(pair.Key, out var other) && AreEqual(pair.Value, other)),
        (IEnumerable a, IEnumerable b) => a.Cast<object?>().Zip(b.Cast<object?>()).All(pair => AreEqual(pair.First, pair.Second)),
        _ => Equals(first, second),
    };
}
