using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Serve.Rl.Environments;
using Serve.Rl.Spaces;

namespace Serve.Rl.Vectors;

/// <summary>
/// Environments with a deterministic table, stepped by look-up. Each entry is a word: next state in bits 0 to 15, index of the reward in bits 16 to 30, termination in bit 31.
/// </summary>
/// <remarks>A single environment draws one unused random number per step. Here the generator skips them all at the end of the episode, so start states are the same.</remarks>
internal sealed class TabularVectorEnv : VectorEnv<int, int>
{
    private readonly uint[] _table;
    private readonly float[] _rewards;
    private readonly int _stride;
    private readonly int _maxEpisodeSteps;
    private readonly TabularEnv.StartDistribution _starts;
    private readonly Discrete _actionSpace;
    private readonly int[] _states;
    private readonly int[] _elapsedSteps;
    private readonly Pcg64Random[] _random;

    public TabularVectorEnv(TabularEnv env, EnvSpec spec, int count)
        : base(spec, count, env.ObservationSpace, env.ActionSpace, 1, 1)
    {
        _rewards = [.. AllTransitions(env).Select(transition => (float)transition.Reward).Distinct()];
        _stride = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)env.ActionCount);
        _table = new uint[env.StateCount * _stride];
        for (var state = 0; state < env.StateCount; state++)
        {
            for (var action = 0; action < env.ActionCount; action++)
            {
                var transition = env.Transitions(state, action)[0];
                var reward = Array.IndexOf(_rewards, (float)transition.Reward);
                _table[(state * _stride) + action] = (uint)transition.State | ((uint)reward << 16) | (transition.Terminated ? 1u << 31 : 0);
            }
        }

        _maxEpisodeSteps = spec.MaxEpisodeSteps ?? int.MaxValue;
        _starts = env.Starts;
        _actionSpace = (Discrete)env.ActionSpace;
        _states = new int[count];
        _elapsedSteps = new int[count];
        _random = new Pcg64Random[count];
        for (var i = 0; i < count; i++)
            _random[i] = new Pcg64Random();
    }

    public static bool CanRun(TabularEnv env) =>
        env.IsDeterministic && env.StateCount <= ushort.MaxValue + 1 && AllTransitions(env).Select(transition => (float)transition.Reward).Distinct().Count() <= short.MaxValue;

    private protected override void ResetCore(Span<int> observations, ulong? seed)
    {
        for (var i = 0; i < _states.Length; i++)
        {
            if (seed is { } first)
                _random[i] = new Pcg64Random(first + (ulong)i);
            else
                _random[i].Advance((ulong)_elapsedSteps[i]);
            observations[i] = _states[i] = _starts.Find(_random[i].NextDouble());
            _elapsedSteps[i] = 0;
        }
    }

    private protected override void RequireActions(ReadOnlySpan<int> actions) => RequireDiscrete(actions, _actionSpace);

    // All indexes are in range: lengths and actions were checked, and entries of the table contain valid states and rewards.
    private protected override void StepCore(ReadOnlySpan<int> actions, VectorStep<int> into)
    {
        ref var table = ref MemoryMarshal.GetArrayDataReference(_table);
        ref var rewardValues = ref MemoryMarshal.GetArrayDataReference(_rewards);
        ref var states = ref MemoryMarshal.GetArrayDataReference(_states);
        ref var elapsedSteps = ref MemoryMarshal.GetArrayDataReference(_elapsedSteps);
        ref var action = ref MemoryMarshal.GetReference(actions);
        ref var observations = ref MemoryMarshal.GetReference(into.Observations);
        ref var finals = ref MemoryMarshal.GetReference(into.FinalObservations);
        ref var rewards = ref MemoryMarshal.GetReference(into.Rewards);
        ref var terminated = ref MemoryMarshal.GetReference(into.Terminated);
        ref var truncated = ref MemoryMarshal.GetReference(into.Truncated);
        var (count, stride, limit) = (_states.Length, _stride, _maxEpisodeSteps);
        for (var i = 0; i < count; i++)
        {
            var entry = Unsafe.Add(ref table, (Unsafe.Add(ref states, i) * stride) + Unsafe.Add(ref action, i));
            var state = (int)(entry & 0xFFFF);
            var elapsed = Unsafe.Add(ref elapsedSteps, i) + 1;
            var (isTerminated, isTruncated) = ((int)entry < 0, elapsed >= limit);
            Unsafe.Add(ref rewards, i) = Unsafe.Add(ref rewardValues, (int)((entry >> 16) & 0x7FFF));
            Unsafe.Add(ref terminated, i) = isTerminated;
            Unsafe.Add(ref truncated, i) = isTruncated;
            Unsafe.Add(ref finals, i) = state;
            if (isTerminated | isTruncated)
            {
                state = Restart(i, elapsed);
                elapsed = 0;
            }

            Unsafe.Add(ref elapsedSteps, i) = elapsed;
            Unsafe.Add(ref states, i) = state;
            Unsafe.Add(ref observations, i) = state;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int Restart(int index, int elapsedSteps)
    {
        _random[index].Advance((ulong)elapsedSteps);
        return _starts.Find(_random[index].NextDouble());
    }

    private static IEnumerable<TabularTransition> AllTransitions(TabularEnv env) =>
        Enumerable.Range(0, env.StateCount * env.ActionCount).Select(index => env.Transitions(index / env.ActionCount, index % env.ActionCount)[0]);
}
