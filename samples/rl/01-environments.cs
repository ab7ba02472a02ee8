// Taxi with random legal actions, an environment of one's own, and Q-learning on a thousand taxis at once.
//
//     dotnet run -c Release samples/rl/01-environments.cs

using System.Collections.Immutable;
using System.Diagnostics;
using Serve.Rl.Environments;
using Serve.Rl.Spaces;

// One environment. The same seed starts in the same state as in Gymnasium.
using var taxi = Gym.Make<int, int>("Taxi-v3");
var (observation, info) = taxi.Reset(seed: 1);
var actions = (Discrete)taxi.ActionSpace;
actions.Seed(1);
Console.WriteLine($"start state {observation}");
for (var i = 0; i < 3; i++)
{
    info = taxi.Step(actions.Sample(info.Get<ImmutableArray<bool>>("action_mask").AsSpan())).Info;
    Console.Write(taxi.Render());
}

// An environment of one's own: registered, checked, made with a time limit.
Gym.Register("samples/GuessNumber-v0", () => new GuessNumber(), maxEpisodeSteps: 10);
Gym.Check(Gym.Make("samples/GuessNumber-v0"));
Console.WriteLine($"registered: {string.Join(", ", Gym.Specs.Select(spec => spec.Id))}");

// Many environments: each step executes one action in all of them; ended episodes restart.
using var taxis = Gym.MakeVec<int, int>("Taxi-v3", 1024);
var q = new float[500, 6];
var random = new Random(1);
var chosen = new int[taxis.Count];
var states = new int[taxis.Count];
taxis.Reset(seed: 1);
var clock = Stopwatch.StartNew();
for (var step = 0; step < 3000; step++)
{
    taxis.Observations.CopyTo(states);
    for (var i = 0; i < chosen.Length; i++)
        chosen[i] = random.NextDouble() < 0.2 ? random.Next(6) : Best(states[i]);
    taxis.Step(chosen);
    for (var i = 0; i < chosen.Length; i++)
    {
        var next = taxis.FinalObservations[i];
        var target = taxis.Rewards[i] + (taxis.Terminated[i] ? 0 : 0.99f * q[next, Best(next)]);
        q[states[i], chosen[i]] += 0.1f * (target - q[states[i], chosen[i]]);
    }
}

// The greedy policy from all start states; the optimum is 7.93.
var returns = ((TaxiEnv)taxi.Unwrapped).StartStates.Select(start =>
{
    var (state, sum) = (start, 0.0);
    for (var step = 0; step < 200; step++)
    {
        var outcome = ((TaxiEnv)taxi.Unwrapped).Transitions(state, Best(state))[0];
        (state, sum) = (outcome.State, sum + outcome.Reward);
        if (outcome.Terminated)
            break;
    }

    return sum;
});
Console.WriteLine($"{3000 * taxis.Count:N0} steps in {clock.Elapsed.TotalSeconds:0.0} s; greedy mean return over all start states {returns.Average():0.00}");

int Best(int state)
{
    var best = 0;
    for (var action = 1; action < 6; action++)
    {
        if (q[state, action] > q[state, best])
            best = action;
    }

    return best;
}

/// <summary>Guess a number from 0 to 99; the observation says whether the last guess was too low (0), too high (1) or there was none (2).</summary>
internal sealed class GuessNumber : Env<int, int>
{
    private int number;

    public override Space<int> ObservationSpace { get; } = new Discrete(3);

    public override Space<int> ActionSpace { get; } = new Discrete(100);

    public override (int Observation, EnvInfo Info) Reset(ulong? seed = null, IReadOnlyDictionary<string, object>? options = null)
    {
        SeedRandom(seed);
        number = (int)Random.NextInteger(100);
        return (2, EnvInfo.Empty);
    }

    public override StepResult<int> Step(int action) =>
        new(action < number ? 0 : action > number ? 1 : 2, action == number ? 1 : -1, Terminated: action == number, Truncated: false, EnvInfo.Empty);
}
