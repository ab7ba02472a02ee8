using Serve.Rl.Rendering;
using Serve.Rl.Spaces;

namespace Serve.Rl.Environments;

/// <summary>A possible outcome of an action in a state.</summary>
/// <param name="Probability">The probability of this outcome.</param>
/// <param name="State">The next state.</param>
/// <param name="Reward">The reward.</param>
/// <param name="Terminated">Whether the episode ends.</param>
public readonly record struct TabularTransition(double Probability, int State, double Reward, bool Terminated);

/// <summary>An environment with a finite number of states, defined by a table of transitions. The observation is the state.</summary>
public abstract class TabularEnv : Env<int, int>
{
    private readonly Discrete _observationSpace;
    private readonly Discrete _actionSpace;
    private readonly TabularTransition[][] _transitions;

    /// <summary>Creates the table.</summary>
    /// <param name="states">The number of states.</param>
    /// <param name="actions">The number of actions.</param>
    /// <param name="transitions">Returns the outcomes of an action (second argument) in a state (first argument).</param>
    /// <param name="startWeight">Returns the weight of a state as the start of an episode.</param>
    protected TabularEnv(int states, int actions, Func<int, int, TabularTransition[]> transitions, Func<int, double> startWeight)
    {
        ArgumentNullException.ThrowIfNull(transitions);
        ArgumentNullException.ThrowIfNull(startWeight);
        _observationSpace = new Discrete(states);
        _actionSpace = new Discrete(actions);
        _transitions = new TabularTransition[states * actions][];
        for (var index = 0; index < _transitions.Length; index++)
            _transitions[index] = transitions(index / actions, index % actions);
        Starts = StartDistribution.Create([.. Enumerable.Range(0, states).Select(startWeight)]);
    }

    /// <inheritdoc />
    public sealed override Space<int> ObservationSpace => _observationSpace;

    /// <inheritdoc />
    public sealed override Space<int> ActionSpace => _actionSpace;

    /// <summary>Gets the number of states.</summary>
    public int StateCount => _observationSpace.Count;

    /// <summary>Gets the number of actions.</summary>
    public int ActionCount => _actionSpace.Count;

    /// <summary>Gets the states in which episodes can start.</summary>
    public IReadOnlyList<int> StartStates => Starts.States;

    /// <summary>Gets the current state; -1 before the first reset.</summary>
    public int State { get; private protected set; } = -1;

    /// <summary>Whether the table alone determines all steps, without random numbers; vector environments then step by look-up.</summary>
    internal bool IsDeterministic => IsTableComplete && _transitions.All(outcomes => outcomes.Length == 1);

    internal StartDistribution Starts { get; }

    /// <summary>The last action; -1 at the start of an episode.</summary>
    private protected int LastAction { get; private set; } = -1;

    /// <summary>The current state of an episode.</summary>
    private protected int StartedState => State >= 0 ? State : throw new InvalidOperationException($"Step and Render of {DisplayName} must not be called before the first Reset. Call Reset first.");

    /// <summary>Whether <see cref="Step"/> changes states only by the table.</summary>
    private protected virtual bool IsTableComplete => true;

    /// <summary>Returns the possible outcomes of an action in a state.</summary>
    public ReadOnlySpan<TabularTransition> Transitions(int state, int action) => _transitions[(state * ActionCount) + action];

    /// <inheritdoc />
    public sealed override (int Observation, EnvInfo Info) Reset(ulong? seed = null, IReadOnlyDictionary<string, object>? options = null)
    {
        SeedRandom(seed);
        State = Starts.Find(Random.NextDouble());
        LastAction = -1;
        BeginEpisode();
        return (State, InfoOf(1));
    }

    /// <inheritdoc />
    public sealed override StepResult<int> Step(int action)
    {
        if (!_actionSpace.Contains(action))
            throw new ArgumentException($"Action of {DisplayName} must be an element of {_actionSpace}, but was {action}.", nameof(action));
        var outcome = Draw(Transitions(StartedState, action));
        State = ChangeState(State, outcome.State);
        LastAction = action;
        return new(State, outcome.Reward, outcome.Terminated, false, InfoOf(outcome.Probability));
    }

    /// <inheritdoc />
    public abstract override string Render();

    /// <inheritdoc />
    public abstract override RgbFrame RenderRgb();

    private protected virtual void BeginEpisode()
    {
    }

    /// <summary>Returns the state that follows instead of the table's next state.</summary>
    private protected virtual int ChangeState(int previous, int next) => next;

    private protected virtual EnvInfo InfoOf(double probability) => EnvInfo.Of(("prob", probability));

    /// <summary>Draws an outcome. Uses one random number even if there is only one outcome, as Gymnasium does.</summary>
    private TabularTransition Draw(ReadOnlySpan<TabularTransition> outcomes)
    {
        var position = Random.NextDouble();
        var sum = 0.0;
        foreach (var outcome in outcomes)
        {
            sum += outcome.Probability;
            if (sum > position)
                return outcome;
        }

        return outcomes[0];
    }

    /// <summary>The states in which episodes can start, with cumulative probabilities.</summary>
    internal sealed record StartDistribution(int[] States, double[] Cumulative)
    {
        public static StartDistribution Create(double[] weights)
        {
            var total = weights.Sum();
            List<int> states = [];
            List<double> cumulative = [];
            var sum = 0.0;
            foreach (var (state, weight) in weights.Index())
            {
                if (weight == 0)
                    continue;
                sum += weight / total;
                states.Add(state);
                cumulative.Add(sum);
            }

            return new([.. states], [.. cumulative]);
        }

        /// <summary>Returns the first state whose cumulative probability exceeds a position.</summary>
        public int Find(double position)
        {
            var (low, high) = (0, Cumulative.Length);
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (Cumulative[middle] > position)
                    high = middle;
                else
                    low = middle + 1;
            }

            return low < States.Length ? States[low] : 0;
        }
    }
}
